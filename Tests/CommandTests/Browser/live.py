"""live.py URL UNIT-PID RECORDER-PID PICTURES: looks at the live page as a person would; the unit is stopped meanwhile, and then
the recorder that serves the page is killed. Prints JSON."""
import os
import signal
import sys
import time

import browser

# How often sections of the report were put in the place of older ones, and how often the answer without the timeline or the
# other way round: both change with every moment.
AGREEMENT = """
window.agreement = { changes: 0, apart: 0 }
new MutationObserver(changes => {
  const fresh = changes.flatMap(change => [...change.addedNodes].map(node => node.id))
  agreement.changes += 1
  if (fresh.includes('answer') !== fresh.includes('timeline')) agreement.apart += 1
}).observe(document.querySelector('main'), { childList: true })"""
url, unit, recorder, pictures = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
os.makedirs(pictures, exist_ok=True)
driver = browser.open_browser()
try:
    driver.get(url)
    browser.until(driver, "window.atlasLive && atlasLive.levels > 300")
    canvas = "document.querySelector('#live canvas').toDataURL()"
    first = driver.execute_script("return " + canvas)
    browser.until(driver, f"{canvas} !== arguments[0]", first)

    # The numbers behind the picture.
    driver.execute_script("document.querySelector('#live details').open = true")
    browser.until(driver, "/^-?\\d+\\.\\d$/.test(document.querySelector('#live td').textContent)")
    numbers = "[...document.querySelectorAll('#live td')].map(e => e.textContent).join()"
    before = driver.execute_script("return " + numbers)
    browser.until(driver, f"{numbers} !== arguments[0]", before)

    names = driver.execute_script(browser.NAMES)
    contrast = {}
    for scheme in ("light", "dark"):
        browser.scheme(driver, scheme)
        contrast[scheme] = driver.execute_script(browser.CONTRAST)
        for width in (1600, 400):
            browser.picture(driver, f"{pictures}/live-{scheme}-{width}.png", width)
            if width == 400:
                names += driver.execute_script(browser.NAMES)
        browser.resize(driver, 1600)
    browser.scheme(driver, "light")
    driver.execute_script("document.activeElement.blur(); scrollTo(0, 0)")
    seen, unseen = browser.keyboard(driver, 14)

    # What is open stays open when the sections are fetched anew.
    driver.execute_script("document.querySelector('#timeline details').open = true")
    driver.execute_script(AGREEMENT)
    os.kill(unit, signal.SIGTERM)
    began = time.monotonic()
    browser.until(driver, "document.querySelector('#timeline .strip .down')")
    on_timeline = time.monotonic() - began
    state = browser.until(driver, "document.querySelector('#live .state.down')?.textContent")
    is_open = driver.execute_script("return document.querySelector('#timeline details').open")
    agreement = driver.execute_script("return agreement")
    browser.picture(driver, f"{pictures}/live-outage.png", 1600)
    headline = driver.execute_script("return document.querySelector('#answer h2').textContent")
    title = driver.title
    complaints = browser.complaints(driver)

    # What was heard last is no answer any more, and that is said where it is read. (The browser logs what it cannot load.)
    # First one that stands still with its connections open, then one that is gone.
    os.kill(recorder, signal.SIGSTOP)
    still = browser.until(driver, "document.getElementById('alarm')?.textContent")
    os.kill(recorder, signal.SIGCONT)
    browser.until(driver, "!document.getElementById('alarm') && document.getElementById('live-state').textContent === 'Live.'")
    os.kill(recorder, signal.SIGKILL)
    alarm = browser.until(driver, "document.getElementById('alarm')?.textContent")
    silent_title = driver.title
    browser.picture(driver, f"{pictures}/live-silent.png", 1600)
    browser.answer(
        headline=headline, title=title, still=still, alarm=alarm, silent_title=silent_title,
        moved=True, names=names, contrast=contrast, seen=seen, unseen=unseen, state=state, is_open=is_open,
        on_timeline=round(on_timeline, 2), agreement=agreement, complaints=complaints)
finally:
    driver.quit()
