// The meters of the live page: who they are, in which state, and how loud.
const floor = -80, fall = 12 // dB: the meter's lowest; how far a peak falls in a second after it was held
const hold = 1500 // ms that a peak is held
const live = document.getElementById('live')
const list = document.getElementById('live-units')
const meters = [] // by the server's number
const links = new Map() // processor -> link -> state
let units = [], groups = []
/// Frames that something was drawn in.
export let drawn = 0

// MARK: names

const families = { Zone: 'Zones', Source: 'Sources', Mix: 'Mixes', Group: 'Groups' }
const family = meter => families[meter.slice(0, meter.indexOf('Meter'))] ?? 'Others'

function element(name, text, properties = {}) {
  return Object.assign(document.createElement(name), text === undefined ? {} : { textContent: text }, properties)
}

function unit(entry) {
  const it = { name: entry.name, figure: element('figure', undefined, { className: 'unit' }), groups: [] }
  it.states = element('span', undefined, { className: 'states' })
  const caption = element('figcaption')
  caption.append(element('h3', entry.name), it.states)
  it.figure.append(caption)
  if (entry.meters.length > 0) show(it, entry.meters)
  else if (entry.count > 0) {
    const query = new URLSearchParams(location.search)
    query.set('processor', entry.name)
    it.figure.append(element('a', `its ${entry.count} meters`, { href: '/?' + query }))
  }
  return it
}

// A picture for each family, and one table in numbers.
function show(it, members) {
  const byFamily = new Map()
  for (const each of members) {
    const name = family(each[1])
    byFamily.set(name, [...byFamily.get(name) ?? [], each])
  }
  const pictures = element('div', undefined, { className: 'families' })
  const table = element('table')
  table.innerHTML = '<thead><tr><th scope="col">Meter</th><th scope="col">dB</th></tr></thead>'
  for (const [name, ofFamily] of byFamily) {
    const canvas = element('canvas')
    canvas.setAttribute('role', 'img')
    canvas.setAttribute('aria-label', `${name} of ${it.name}; the table below has them in numbers`)
    const picture = element('div')
    const body = table.createTBody()
    if (byFamily.size > 1) {
      picture.append(element('h4', name))
      body.insertRow().append(element('th', name, { colSpan: 2, scope: 'rowgroup' }))
    }
    picture.append(canvas)
    pictures.append(picture)
    const group = { canvas, meters: [], isDirty: true, isSeen: true }
    for (const [number, meter, label] of ofFamily) {
      const row = body.insertRow()
      const head = element('th', label ?? meter, { scope: 'row', title: meter })
      row.append(head)
      const before = meters[number]
      const known = { level: before?.level ?? null, peak: before?.peak ?? floor, peakAt: before?.peakAt ?? 0 }
      const rename = text => {
        meters[number].label = head.textContent = text
        group.isDirty = true
      }
      meters[number] = Object.assign(known, { label: label ?? meter, group, cell: row.insertCell(), rename })
      group.meters.push(meters[number])
    }
    it.groups.push(group)
    watcher.observe(canvas)
    sizes.observe(canvas)
  }
  it.details = element('details')
  it.details.append(element('summary', 'In numbers'), table)
  it.details.addEventListener('toggle', () => write(it))
  it.figure.append(pictures, it.details)
}

// What is out of sight is not drawn.
const watcher = new IntersectionObserver(entries => {
  for (const entry of entries) {
    const group = groups.find(each => each.canvas === entry.target)
    if (group) { group.isSeen = entry.isIntersecting; group.isDirty = true }
  }
})
const sizes = new ResizeObserver(entries => {
  for (const entry of entries) {
    const group = groups.find(each => each.canvas === entry.target)
    if (group) layOut(group)
  }
})

const fingerprint = entries => JSON.stringify(entries.map(entry => [entry.name, entry.meters.map(meter => meter[0])]))
let told = ''
export function takeNames(entries) {
  // Another label is no other meter.
  if (fingerprint(entries) === told) {
    for (const entry of entries) {
      for (const [number, meter, label] of entry.meters) meters[number].rename(label ?? meter)
    }
    return
  }
  told = fingerprint(entries)
  watcher.disconnect()
  sizes.disconnect()
  units = entries.map(unit)
  groups = units.flatMap(it => it.groups)
  list.replaceChildren(...units.map(it => it.figure))
  groups.forEach(layOut)
  units.forEach(showStates)
}

// MARK: states

/// Whether it is another state than before.
export function takeLink(entry) {
  if (!links.has(entry.processor)) links.set(entry.processor, new Map())
  const before = links.get(entry.processor).get(entry.link)
  links.get(entry.processor).set(entry.link, entry)
  const it = units.find(each => each.name === entry.processor)
  if (it) showStates(it)
  return Boolean(before) && (before.state !== entry.state || before.since_us !== entry.since_us)
}

function showStates(it) {
  const known = links.get(it.name)
  if (!known) return
  // Levels of before are no levels of now.
  it.figure.classList.toggle('stale', known.get('meters')?.state !== 'up')
  it.states.replaceChildren(...[...known].map(([link, { state, cause, since_us }]) => element(
    'span', `${link} ${state}${cause ? ': ' + cause : ''}`,
    { className: `state ${state}`, title: `since ${new Date(since_us / 1000).toLocaleString()}` })))
}

// MARK: levels

/// Meters' numbers and their tenths of dB, in turn.
export function takeLevels(numbers) {
  for (let index = 0; index < numbers.length; index += 2) {
    const meter = meters[numbers[index]]
    if (!meter) continue
    meter.level = numbers[index + 1] / 10
    meter.group.isDirty = true
  }
}

const bar = 22, gap = 4 // px
let colours
function readColours() {
  const style = getComputedStyle(live)
  const colour = name => style.getPropertyValue(name).trim()
  colours = {
    text: colour('--live-text'), quiet: colour('--live-quiet'), track: colour('--live-track'),
    low: colour('--live-low'), high: colour('--live-high'), clip: colour('--live-clip'), peak: colour('--live-peak'),
    paper: colour('--paper'),
    font: style.fontFamily,
  }
  for (const group of groups) group.isDirty = true
}

function layOut(group) {
  const width = group.canvas.clientWidth || 300
  group.columns = Math.max(1, Math.floor(width / 300))
  group.rows = Math.ceil(group.meters.length / group.columns)
  const height = group.rows * (bar + gap)
  const scale = window.devicePixelRatio || 1
  group.canvas.style.height = `${height}px`
  group.canvas.width = Math.round(width * scale)
  group.canvas.height = Math.round(height * scale)
  group.width = width
  group.pen = group.canvas.getContext('2d')
  group.pen.setTransform(scale, 0, 0, scale, 0, 0)
  group.isDirty = true
}

const share = level => Math.min(1, Math.max(0, (level - floor) / -floor))

function draw(group, now) {
  const pen = group.pen, wide = group.width / group.columns
  const name = Math.min(130, wide * 0.42), value = 48
  const long = wide - name - value - 16
  pen.clearRect(0, 0, group.width, group.rows * (bar + gap))
  pen.textBaseline = 'middle'
  let moves = false
  group.meters.forEach((meter, index) => {
    const x = Math.floor(index / group.rows) * wide, y = (index % group.rows) * (bar + gap)
    const left = x + name, middle = y + bar / 2
    if (meter.clipped !== meter.label + name) {
      pen.font = `13px ${colours.font}`
      let text = meter.label
      while (text.length > 1 && pen.measureText(text).width > name - 10) text = text.slice(0, -2) + '…'
      meter.shown = text
      meter.clipped = meter.label + name
    }
    pen.font = `13px ${colours.font}`
    pen.textAlign = 'left'
    pen.fillStyle = meter.level === null || meter.level <= floor ? colours.quiet : colours.text
    pen.fillText(meter.shown, x, middle)
    pen.fillStyle = colours.track
    pen.fillRect(left, y + 5, long, bar - 10)
    if (meter.level === null) return
    // A peak is held, then falls.
    if (meter.level >= meter.peak) {
      meter.peak = meter.level
      meter.peakAt = now
    } else if (now - meter.peakAt > hold) {
      meter.peak = Math.max(meter.level, meter.peak - fall * Math.min(0.5, (now - (meter.fellAt ?? now)) / 1000))
    }
    meter.fellAt = now
    if (meter.peak > meter.level) moves = true
    const end = long * share(meter.level)
    pen.fillStyle = meter.level > -3 ? colours.clip : meter.level > -12 ? colours.high : colours.low
    pen.fillRect(left, y + 5, end, bar - 10)
    // Each 20 dB.
    pen.fillStyle = colours.paper
    for (let level = floor + 20; level < 0; level += 20) pen.fillRect(left + long * share(level), y + 5, 1, bar - 10)
    pen.fillStyle = colours.peak
    if (meter.peak > floor) pen.fillRect(left + long * share(meter.peak) - 1, y + 3, 2, bar - 6)
    pen.fillStyle = meter.level <= floor ? colours.quiet : colours.text
    pen.textAlign = 'right'
    pen.fillText(meter.level.toFixed(1), x + wide - 16, middle)
  })
  group.isDirty = moves
}

function write(it) {
  if (!it.details?.open) return
  for (const { level, cell } of it.groups.flatMap(group => group.meters)) {
    cell.textContent = level === null ? 'not heard' : level.toFixed(1)
  }
}

let last = 0
function frame(now) {
  requestAnimationFrame(frame)
  if (now - last < 40) return // 25 a second is enough for the eye
  last = now
  let any = false
  for (const group of groups) if (group.isDirty && group.isSeen) { draw(group, now); any = true }
  if (any) drawn += 1
}

if (live) {
  readColours()
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', readColours)
  requestAnimationFrame(frame)
  setInterval(() => units.forEach(write), 1000)
}
