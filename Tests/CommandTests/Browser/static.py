"""static.py PICTURES NAME=FILE...: looks at pages on the disk as a person would. Prints JSON: by page, what it found."""
import os
import sys

import browser

pictures = sys.argv[1]
os.makedirs(pictures, exist_ok=True)
driver = browser.open_browser()
found = {}
try:
    for page in sys.argv[2:]:
        name, _, path = page.partition("=")
        driver.get("file://" + path)
        names, contrast = [], {}
        for scheme in ("light", "dark"):
            browser.scheme(driver, scheme)
            for width in (1600, 400):
                browser.picture(driver, f"{pictures}/{name}-{scheme}-{width}.png", width)
                names += driver.execute_script(browser.NAMES)
                driver.execute_script("for (const each of document.querySelectorAll('details')) each.open = true")
                contrast[f"{scheme} {width}"] = driver.execute_script(browser.CONTRAST)
                names += driver.execute_script(browser.NAMES)
                driver.execute_script("for (const each of document.querySelectorAll('details')) each.open = false")
            browser.resize(driver, 1600)
        driver.execute_script("document.activeElement.blur(); scrollTo(0, 0)")
        seen, unseen = browser.keyboard(driver, 20)
        found[name] = {
            "names": names, "contrast": contrast, "seen": seen, "unseen": unseen,
            "complaints": browser.complaints(driver)}
    browser.answer(**found)
finally:
    driver.quit()
