"""A headless Chromium, and what the tests of the page ask of it. Debian: chromium-driver, python3-selenium."""
import json
import sys
import time

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.common.action_chains import ActionChains


def open_browser(width=1600, height=1000):
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    resize(driver, width, height)
    return driver


def resize(driver, width, height=1000):
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def scheme(driver, name):
    feature = {"name": "prefers-color-scheme", "value": name}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def until(driver, script, *arguments):
    """Asks until the script's answer is true, and gives it; whoever started this ends it if that never comes."""
    while True:
        answer = driver.execute_script("return " + script, *arguments)
        if answer:
            return answer
        time.sleep(0.02)


def picture(driver, path, width):
    """The whole page, as high as it is."""
    resize(driver, width)
    height = driver.execute_script("return document.documentElement.scrollHeight")
    resize(driver, width, min(height, 6000))
    until(driver, "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
    driver.save_screenshot(path)
    resize(driver, width)


# WCAG 2.1, 1.4.3: each text that is seen against what lies behind it. Text in a picture counts by its fill.
CONTRAST = """
const luminance = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0)
const parse = text => { const n = text.match(/[\\d.]+/g)?.map(Number) ?? [0, 0, 0, 0]; return { rgb: n.slice(0, 3), alpha: n[3] ?? 1 } }
const behind = element => {
  for (let at = element; at; at = at.parentElement) {
    const { rgb, alpha } = parse(getComputedStyle(at).backgroundColor)
    if (alpha > .99) return rgb
  }
  return [255, 255, 255]
}
const low = []
let count = 0
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
while (walker.nextNode()) {
  const node = walker.currentNode, element = node.parentElement
  if (!node.data.trim() || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue
  if (element.closest('script, style, title, noscript')) continue
  const style = getComputedStyle(element), inPicture = element instanceof SVGElement
  const ink = parse(inPicture ? style.fill : style.color).rgb, paper = behind(element)
  const [a, b] = [luminance(ink), luminance(paper)].sort((x, y) => y - x)
  const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && +style.fontWeight >= 700)
  count += 1
  const ratio = (a + .05) / (b + .05)
  if (ratio < (large ? 3 : 4.5)) low.push(`${node.data.trim().slice(0, 40)}: ${ratio.toFixed(2)} (${element.tagName}.${element.getAttribute('class')})`)
}
return { count, low }
"""

# What a screen reader has to be told: names of controls and pictures, headings in order, headers of tables.
NAMES = """
const found = []
const visible = e => e.checkVisibility()
for (const e of document.querySelectorAll('a, button, input, select, summary, [role=img]')) {
  if (!visible(e)) continue
  const label = e.id && document.querySelector(`label[for="${e.id}"]`)
  const name = e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || label?.textContent || e.textContent
  if (!name?.trim()) found.push(`no name: ${e.outerHTML.slice(0, 80)}`)
}
let level = 0
for (const e of document.querySelectorAll('h1, h2, h3, h4')) {
  const next = +e.tagName[1]
  if (next > level + 1) found.push(`a level is left out before: ${e.textContent.slice(0, 40)}`)
  level = next
}
for (const e of document.querySelectorAll('table')) if (!e.querySelector('th[scope]')) found.push('a table without headers')
for (const e of document.querySelectorAll('svg')) {
  if (!e.closest('[aria-hidden=true]') && e.getAttribute('role') !== 'img') found.push(`a picture without a role: ${e.outerHTML.slice(0, 80)}`)
}
if (!document.documentElement.lang) found.push('no language')
if (document.querySelectorAll('main').length !== 1) found.push('no main')
if (document.documentElement.scrollWidth > document.documentElement.clientWidth) found.push('wider than the window')
const ids = [...document.querySelectorAll('[id]')].map(e => e.id)
for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push(`an id twice: ${id}`)
return found
"""


def keyboard(driver, presses):
    """Where the Tab key leads, and whether that is seen."""
    seen, unseen = [], []
    for _ in range(presses):
        ActionChains(driver).send_keys(Keys.TAB).perform()
        place = driver.execute_script(
            "const e = document.activeElement, s = getComputedStyle(e);"
            "return [e.tagName, e.id || e.textContent.trim().slice(0, 30), s.outlineStyle, parseFloat(s.outlineWidth)]")
        seen.append(place[:2])
        if place[0] != "BODY" and (place[2] == "none" or place[3] < 1):
            unseen.append(place[:2])
    return seen, unseen


def complaints(driver):
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] != "INFO"]


def answer(**findings):
    print(json.dumps(findings), flush=True)
