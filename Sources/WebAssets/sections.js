// The report's sections, fetched again as they change, and above them what makes them doubtful.

// MARK: doubts

// What was heard last is no answer to how it is now: that is said where it is read, and in the tab.
let title = document.title, serverWords = '', recorderWords = ''
const alarm = document.createElement('p')
alarm.id = 'alarm'
alarm.setAttribute('role', 'alert')
export const clock = ms => new Date(ms).toLocaleTimeString([], { hourCycle: 'h23' })
/// Of the server, since when it is missed: what was said first holds.
export function silence(words) { if (!words || !serverWords) { serverWords = words; warn() } }
/// Of the recorder, as the server tells it.
export function doubt(words) { recorderWords = words; warn() }
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

// MARK: sections

let pending = 0, isFetching = false
let timer
/// What changes without a word, as a time that goes on, is asked for now and then.
export function begin() { timer = setTimeout(refresh, 15000) }
export async function refresh() {
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
  // A list of its own: what is put into this page leaves that one.
  for (const section of [...fresh.body.children]) {
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
/// The store has a change within a second of it.
export function changed() {
  refresh()
  setTimeout(refresh, 700)
  setTimeout(refresh, 1500)
}
