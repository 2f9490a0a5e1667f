"""gone.py URL RECORDER-PID PICTURES: looks at a page that `serve` serves while its recorder stands still, goes on and is killed.
Prints JSON."""
import os
import signal
import sys

import browser

url, recorder, pictures = sys.argv[1], int(sys.argv[2]), sys.argv[3]
os.makedirs(pictures, exist_ok=True)
driver = browser.open_browser()
ALARM = "document.getElementById('alarm')?.textContent"
ANSWER = "document.querySelector('#answer h2').textContent"
try:
    # A window that has ended has nothing that lives, in whatever colours.
    driver.get(url + "&until=1s")
    for name, dark in (("dark", "true"), ("light", "false")):
        browser.scheme(driver, name)
        browser.until(driver, f"window.atlasLive && matchMedia('(prefers-color-scheme: dark)').matches === {dark}")
    driver.get(url)
    browser.until(driver, "window.atlasLive && atlasLive.levels > 100")
    os.kill(recorder, signal.SIGSTOP)
    stalled = browser.until(driver, ALARM)
    os.kill(recorder, signal.SIGCONT)
    browser.until(driver, f"!{ALARM} && {ANSWER} === 'Up now'")
    os.kill(recorder, signal.SIGKILL)
    killed = browser.until(driver, ALARM)
    # From here on the answer is in doubt, and then another one.
    browser.until(driver, f"{ANSWER} !== 'Up now' || getComputedStyle(document.getElementById('answer')).opacity < 1")
    title = driver.title
    browser.picture(driver, f"{pictures}/live-gone.png", 1600)
    answer = browser.until(driver, f"{ANSWER} !== 'Up now' && {ANSWER}")
    opacity = driver.execute_script("return getComputedStyle(document.getElementById('answer')).opacity")
    browser.answer(
        stalled=stalled, killed=killed, title=title, answer=answer, opacity=opacity,
        complaints=browser.complaints(driver))
finally:
    driver.quit()
