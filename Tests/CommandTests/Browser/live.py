"""live.py URL UNIT-PID PICTURES: looks at the live page as a person would; the unit is stopped meanwhile. Prints JSON."""
import os
import signal
import sys
import time

import browser

url, unit, pictures = sys.argv[1], int(sys.argv[2]), sys.argv[3]
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
    os.kill(unit, signal.SIGTERM)
    began = time.monotonic()
    browser.until(driver, "document.querySelector('#timeline .strip .down')")
    on_timeline = time.monotonic() - began
    state = browser.until(driver, "document.querySelector('#live .state.down')?.textContent")
    is_open = driver.execute_script("return document.querySelector('#timeline details').open")
    browser.picture(driver, f"{pictures}/live-outage.png", 1600)
    browser.answer(
        moved=True, names=names, contrast=contrast, seen=seen, unseen=unseen, state=state, is_open=is_open,
        on_timeline=round(on_timeline, 2), complaints=browser.complaints(driver))
finally:
    driver.quit()
