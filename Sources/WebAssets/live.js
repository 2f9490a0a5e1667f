// The live part of the page: what comes by server-sent events.
import { drawn, takeLevels, takeLink, takeNames } from './meters.js'
import { begin, changed, clock, doubt, refresh, silence } from './sections.js'

const live = document.getElementById('live') // null: a window that has ended
const stateLine = document.getElementById('live-state')
// For whoever measures: what came, and how often it was drawn.
const statistics = window.atlasLive = { events: 0, levels: 0, get drawn() { return drawn } }

// MARK: the connection

const takers = {}
const on = (name, take) => { takers[name] = take }
const patience = 8000 // ms; the server says at least every 5 s that it is here
let pause = 1000, events, heard, heardAt = Date.now()
function follow() {
  events = new EventSource('/events' + location.search)
  heard = performance.now()
  for (const name of Object.keys(takers)) {
    events.addEventListener(name, event => {
      statistics.events += 1
      heard = performance.now()
      heardAt = Date.now()
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
  silence(`Nothing was heard from the server since ${clock(heardAt)}: how it is now is not known. Trying again.`)
  stateLine.textContent = 'The server does not answer; trying again.'
  live.classList.add('gone')
}
// A connection may be dead without an end.
function probe() {
  if (events.readyState !== EventSource.OPEN || performance.now() - heard < patience) return
  events.close()
  fallSilent()
  follow()
}

// MARK: events

on('here', () => {})
on('names', takeNames)
on('levels', numbers => {
  takeLevels(numbers)
  statistics.levels += numbers.length / 2
})
on('link', entry => { if (takeLink(entry)) changed() })
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

if (live) {
  follow()
  setInterval(probe, 1000)
  begin()
}
