// The live part of the page: meters by server-sent events, and the report's sections, fetched again as they change.
'use strict'
;(() => {
  const floor = -80, fall = 12 // dB: the meter's lowest; how far a peak falls in a second after it was held
  const hold = 1500 // ms that a peak is held
  const query = new URLSearchParams(location.search)
  const live = document.getElementById('live')
  if (!live) return // a window that has ended
  const stateLine = document.getElementById('live-state')
  const list = document.getElementById('live-units')
  const meters = [] // by the server's number
  let units = []
  const links = new Map() // processor -> link -> state
  // For whoever measures: what came, and how often it was drawn.
  const statistics = window.atlasLive = { events: 0, levels: 0, drawn: 0 }

  // MARK: names

  function unit(entry) {
    const figure = document.createElement('figure')
    figure.className = 'unit'
    const caption = document.createElement('figcaption')
    const name = document.createElement('h3')
    name.textContent = entry.name
    const states = document.createElement('span')
    states.className = 'states'
    caption.append(name, states)
    figure.append(caption)
    const it = { name: entry.name, figure, states, meters: [], isDirty: true, isSeen: true }
    if (entry.meters.length === 0) {
      if (entry.count > 0) {
        const choose = document.createElement('a')
        query.set('processor', entry.name)
        choose.href = '/?' + query
        choose.textContent = `its ${entry.count} meters`
        figure.append(choose)
      }
      return it
    }
    it.canvas = document.createElement('canvas')
    it.canvas.setAttribute('role', 'img')
    it.canvas.setAttribute('aria-label', `Meters of ${entry.name}; the table below has them in numbers`)
    const details = document.createElement('details')
    const summary = document.createElement('summary')
    summary.textContent = 'In numbers'
    const table = document.createElement('table')
    table.innerHTML = '<thead><tr><th scope="col">Meter</th><th scope="col">dB</th></tr></thead>'
    const body = table.createTBody()
    details.append(summary, table)
    figure.append(it.canvas, details)
    for (const [number, meter, label] of entry.meters) {
      const row = body.insertRow()
      const head = document.createElement('th')
      head.scope = 'row'
      head.textContent = label ?? meter
      head.title = meter
      const cell = row.insertCell()
      row.prepend(head)
      const before = meters[number]
      const known = { level: before?.level ?? null, peak: before?.peak ?? floor, peakAt: before?.peakAt ?? 0 }
      const rename = text => {
        meters[number].label = head.textContent = text
        it.isDirty = true
      }
      meters[number] = Object.assign(known, { label: label ?? meter, unit: it, cell, rename })
      it.meters.push(meters[number])
    }
    it.details = details
    details.addEventListener('toggle', () => write(it))
    watcher.observe(it.canvas)
    sizes.observe(it.canvas)
    return it
  }

  // What is out of sight is not drawn.
  const watcher = new IntersectionObserver(entries => {
    for (const entry of entries) {
      const it = units.find(each => each.canvas === entry.target)
      if (it) { it.isSeen = entry.isIntersecting; it.isDirty = true }
    }
  })
  const sizes = new ResizeObserver(entries => {
    for (const entry of entries) {
      const it = units.find(each => each.canvas === entry.target)
      if (it) layOut(it)
    }
  })

  const table = entries => JSON.stringify(entries.map(entry => [entry.name, entry.meters.map(meter => meter[0])]))
  let known = ''
  function named(entries) {
    // Another label is no other meter.
    if (table(entries) === known) {
      for (const entry of entries) {
        for (const [number, meter, label] of entry.meters) meters[number].rename(label ?? meter)
      }
      return
    }
    known = table(entries)
    watcher.disconnect()
    sizes.disconnect()
    units = entries.map(unit)
    list.replaceChildren(...units.map(it => it.figure))
    for (const it of units) { if (it.canvas) layOut(it); showStates(it) }
  }

  // MARK: states

  function showStates(it) {
    const known = links.get(it.name)
    if (!known) return
    // Levels of before are no levels of now.
    it.figure.classList.toggle('stale', known.get('meters')?.state !== 'up')
    it.states.replaceChildren(...[...known].map(([link, { state, cause, since_us }]) => {
      const span = document.createElement('span')
      span.className = `state ${state}`
      const since = new Date(since_us / 1000)
      span.textContent = `${link} ${state}${cause ? ': ' + cause : ''}`
      span.title = `since ${since.toLocaleString()}`
      return span
    }))
  }

  // MARK: meters

  const row = 22, gap = 4 // px
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
    for (const it of units) it.isDirty = true
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', readColours)

  function layOut(it) {
    const width = it.canvas.clientWidth || 300
    it.columns = Math.max(1, Math.floor(width / 300))
    it.rows = Math.ceil(it.meters.length / it.columns)
    const height = it.rows * (row + gap)
    const scale = window.devicePixelRatio || 1
    it.canvas.style.height = `${height}px`
    it.canvas.width = Math.round(width * scale)
    it.canvas.height = Math.round(height * scale)
    it.width = width
    it.pen = it.canvas.getContext('2d')
    it.pen.setTransform(scale, 0, 0, scale, 0, 0)
    it.isDirty = true
  }

  const share = level => Math.min(1, Math.max(0, (level - floor) / -floor))

  function draw(it, now) {
    const pen = it.pen, wide = it.width / it.columns
    const name = Math.min(130, wide * 0.42), value = 48
    const long = wide - name - value - 16
    pen.clearRect(0, 0, it.width, it.rows * (row + gap))
    pen.textBaseline = 'middle'
    let moves = false
    it.meters.forEach((meter, index) => {
      const x = Math.floor(index / it.rows) * wide, y = (index % it.rows) * (row + gap)
      const left = x + name, middle = y + row / 2
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
      pen.fillRect(left, y + 5, long, row - 10)
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
      pen.fillRect(left, y + 5, end, row - 10)
      // Each 20 dB.
      pen.fillStyle = colours.paper
      for (let level = floor + 20; level < 0; level += 20) pen.fillRect(left + long * share(level), y + 5, 1, row - 10)
      pen.fillStyle = colours.peak
      if (meter.peak > floor) pen.fillRect(left + long * share(meter.peak) - 1, y + 3, 2, row - 6)
      pen.fillStyle = meter.level <= floor ? colours.quiet : colours.text
      pen.textAlign = 'right'
      pen.fillText(meter.level.toFixed(1), x + wide - 16, middle)
    })
    it.isDirty = moves
  }

  function write(it) {
    if (!it.details?.open) return
    for (const meter of it.meters) meter.cell.textContent = meter.level === null ? 'not heard' : meter.level.toFixed(1)
  }

  let last = 0
  function frame(now) {
    requestAnimationFrame(frame)
    if (now - last < 40) return // 25 a second is enough for the eye
    last = now
    let any = false
    for (const it of units) if (it.canvas && it.isDirty && it.isSeen) { draw(it, now); any = true }
    if (any) statistics.drawn += 1
  }

  // MARK: the report's sections

  // What was heard last is no answer to how it is now: that is said where it is read, and in the tab.
  let title = document.title, serverWords = '', recorderWords = ''
  const alarm = document.createElement('p')
  alarm.id = 'alarm'
  alarm.setAttribute('role', 'alert')
  const clock = ms => new Date(ms).toLocaleTimeString([], { hourCycle: 'h23' })
  // Of the server, since when it was first missed; of the recorder, as the server tells it.
  function silence(words) { if (!words || !serverWords) { serverWords = words; warn() } }
  function doubt(words) { recorderWords = words; warn() }
  function warn() {
    const words = serverWords || recorderWords
    if (alarm.textContent !== words) alarm.textContent = words
    document.title = words ? '? ' + title : title
    document.body.classList.toggle('silent', serverWords !== '')
    if (!words) alarm.remove(); else if (!alarm.isConnected) document.body.prepend(alarm)
    // The store learns of it some seconds later.
    const answer = document.getElementById('answer')
    answer?.classList.toggle('doubtful', words !== '' && /up now/i.test(answer.querySelector('h2')?.textContent))
  }

  let pending = 0, isFetching = false
  let timer
  async function refresh() {
    if (isFetching) { pending = 1; return }
    isFetching = true
    const began = performance.now()
    try {
      const answer = await fetch('/sections' + location.search, { signal: AbortSignal.timeout(30000) })
      if (answer.ok) replace(await answer.text())
    } catch { /* the server is gone: the events say so */ }
    isFetching = false
    // The longer the answer takes, the less often it is asked: of a year's window not all the time.
    clearTimeout(timer)
    timer = setTimeout(refresh, pending ? 500 : Math.max(15000, 50 * (performance.now() - began)))
    pending = 0
  }
  const shown = new Map()
  const isChosen = section => {
    const selection = getSelection()
    return !selection.isCollapsed && selection.containsNode(section, true)
  }
  // By what a part is called, and the how manieth of that name it is.
  function places(section, selector, take) {
    const found = new Map(), counts = new Map()
    for (const each of section.querySelectorAll(selector)) {
      const name = each.querySelector('summary, caption')?.textContent ?? ''
      const count = (counts.get(name) ?? 0) + 1
      counts.set(name, count)
      found.set(name + count, take(each, name + count))
    }
    return found
  }
  function replace(text) {
    const fresh = new DOMParser().parseFromString(text, 'text/html')
    title = fresh.title
    for (const section of fresh.body.children) {
      const old = section.id && document.getElementById(section.id)
      const markup = section.outerHTML
      if (!old || shown.get(section.id) === markup) continue
      // What somebody is reading, has opened or moved stays as it is, and where the keyboard is stays there.
      if (isChosen(old)) continue
      const opened = places(old, 'details', each => each.open)
      const moved = places(old, '[tabindex]', each => each.scrollLeft)
      const place = [...old.querySelectorAll('a, summary, [tabindex]')].indexOf(document.activeElement)
      shown.set(section.id, markup)
      old.replaceWith(section)
      places(section, 'details', (each, key) => { each.open = opened.get(key) ?? false })
      places(section, '[tabindex]', (each, key) => { each.scrollLeft = moved.get(key) ?? 0 })
      if (place >= 0) section.querySelectorAll('a, summary, [tabindex]')[place]?.focus({ preventScroll: true })
    }
    warn()
  }
  // The store has a change within a second of it.
  function changed() {
    refresh()
    setTimeout(refresh, 700)
    setTimeout(refresh, 1500)
  }

  // MARK: events

  const takers = {}
  const on = (name, take) => { takers[name] = take }
  let pause = 1000, events, heard
  function follow() {
    events = new EventSource('/events' + location.search)
    heard = performance.now()
    for (const name of Object.keys(takers)) {
      events.addEventListener(name, event => {
        statistics.events += 1
        heard = performance.now()
        takers[name](JSON.parse(event.data))
      })
    }
    events.onopen = () => { pause = 1000 }
    events.onerror = () => {
      fallSilent()
      // After an answer that is none, as a proxy's is, a browser does not try again by itself.
      if (events.readyState !== EventSource.CLOSED) return
      setTimeout(follow, pause)
      pause = Math.min(30000, pause * 2)
    }
  }
  function fallSilent() {
    silence(`Nothing was heard from the server since ${clock(Date.now())}: how it is now is not known. Trying again.`)
    stateLine.textContent = 'The server does not answer; trying again.'
    live.classList.add('gone')
  }
  // A connection may be dead without an end: the server says at least every 5 s that it is here.
  setInterval(() => {
    if (events.readyState !== EventSource.OPEN || performance.now() - heard < 15000) return
    events.close()
    fallSilent()
    follow()
  }, 1000)
  on('here', () => {})
  on('names', named)
  on('levels', numbers => {
    for (let index = 0; index < numbers.length; index += 2) {
      const meter = meters[numbers[index]]
      if (!meter) continue
      meter.level = numbers[index + 1] / 10
      meter.unit.isDirty = true
    }
    statistics.levels += numbers.length / 2
  })
  on('link', entry => {
    if (!links.has(entry.processor)) links.set(entry.processor, new Map())
    const before = links.get(entry.processor).get(entry.link)
    links.get(entry.processor).set(entry.link, entry)
    const it = units.find(each => each.name === entry.processor)
    if (it) showStates(it)
    if (before && (before.state !== entry.state || before.since_us !== entry.since_us)) changed()
  })
  on('recorder', ({ state, words, cause, since_us }) => {
    silence('')
    const isGone = state !== 'recording'
    const since = since_us ? ` since ${clock(since_us / 1000)}` : ' now'
    doubt(!isGone ? '' : words ? `The recorder does not tell how it is: ${words}`
      : cause === 'recorder_stalled' ? `The recorder stands still: it has said nothing${since}.`
        : `No recorder writes this store${since}. Start one with 'atlas-recorder run'; 'atlas-recorder doctor' says more.`)
    stateLine.textContent = isGone ? 'The meters stand still.' : words ?? 'Live.'
    live.classList.toggle('gone', isGone)
    // The store tells it when its recorder has said nothing for some seconds.
    if (isGone) setTimeout(refresh, 6000)
    changed()
  })
  follow()
  readColours()
  requestAnimationFrame(frame)
  setInterval(() => units.forEach(write), 1000)
  timer = setTimeout(refresh, 15000)
})()
