"""Tests the pages of prep in a real browser; `tests/browser/run.sh` creates them and runs this.

Arguments: the report, the page of a game, axe.min.js, and optionally a folder for screenshots.
"""

import os
import re
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

WIDTHS = [375, 800, 1280]


def columns(page: Page) -> list[str]:
    rows = page.locator("table.filtered tbody tr:not([hidden]) th")
    return rows.all_inner_texts()


def check_table(page: Page) -> None:
    every = len(columns(page))
    assert every > 1000
    search = page.get_by_role("searchbox")
    search.fill("player0 gems")
    names = columns(page)
    assert names and all("player0" in name and "gems" in name for name in names), names
    count = page.locator(".filters output").inner_text()
    assert count == f"{len(names)} of {every:,} columns", count
    search.fill("no such column")
    assert columns(page) == []
    search.fill("")
    page.get_by_label("Family").select_option("progress")
    assert 0 < len(columns(page)) < every
    page.get_by_label("Family").select_option("")
    page.get_by_label("Kind").select_option("constant")
    marks = page.locator("table.filtered tbody tr:not([hidden]) td:last-child").all_inner_texts()
    assert all(mark == "constant" for mark in marks), marks
    page.get_by_label("Kind").select_option("")

    head = page.locator("table.filtered thead th").filter(has_text="mean").first
    index = head.evaluate("head => head.cellIndex")
    cells = page.locator(f"table.filtered tbody tr > :nth-child({index + 1})")
    for order in ["descending", "ascending"]:
        head.get_by_role("button").click()
        assert head.get_attribute("aria-sort") == order
        values = [float(text.replace(",", "")) for text in cells.all_inner_texts()]
        assert values == sorted(values, reverse=order == "descending"), order
    name = page.locator("table.filtered thead th").first
    name.get_by_role("button").press("Enter")
    assert name.get_attribute("aria-sort") == "ascending"


def check_plots(page: Page) -> None:
    tip = page.locator("#tip")
    plots = page.locator("svg.plot")
    for index in range(plots.count()):
        plot = plots.nth(index)
        if plot.locator(".tips rect").count() == 0:
            continue
        plot.focus()
        page.keyboard.press("End")
        last = tip.inner_text()
        page.keyboard.press("Home")
        assert tip.inner_text() and last, plot.get_attribute("aria-label")
    page.keyboard.press("Escape")
    assert tip.inner_text() == ""
    part = plots.first.locator(".tips rect").first
    plots.first.scroll_into_view_if_needed()
    part.hover()
    assert ":" in tip.inner_text()
    page.mouse.move(0, 0)


def check_positions(page: Page) -> None:
    """Follows a link to a position, then to other positions, and back to the link."""
    dialog = page.locator("#position")
    link = page.locator("section [data-position] a:visible").first
    link.click()
    # It opens in an event that the change of the address triggers.
    dialog.wait_for(state="visible")
    title = dialog.locator("h2").inner_text()
    assert re.match(r"Game \d+, turn \d+: seat \d to move$", title), title
    assert dialog.locator(".tile-card").count() > 5
    assert dialog.locator(".player").count() >= 2
    address = page.url
    page.keyboard.press("ArrowRight")
    page.wait_for_function("before => location.href !== before", arg=address)
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("before => location.href === before", arg=address)
    page.keyboard.press("Escape")
    page.wait_for_function("!document.querySelector('#position').open")
    assert "#position" not in page.url
    # The URL alone also shows the position.
    page.goto("about:blank")
    page.goto(address)
    assert dialog.locator("h2").inner_text() == title
    dialog.get_by_role("button", name="Close").click()
    dialog.wait_for(state="hidden")


def check_game(page: Page) -> None:
    rows = page.locator("table.turns tbody tr").count()
    title = page.locator("#position h2")
    for row in range(min(rows, 12)):
        begin = f"row {row} of 0 to {rows - 1}"
        is_shown = "text => document.querySelector('#position .from').innerText.startsWith(text)"
        page.wait_for_function(is_shown, arg=begin)
        page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    page.wait_for_function(f"location.hash.endsWith('-{rows - 1}')")
    page.keyboard.press("Home")
    page.wait_for_function("location.hash.endsWith('-0')")
    page.get_by_role("button", name="Next").click()
    page.wait_for_function("location.hash.endsWith('-1')")
    assert title.inner_text().startswith("Game ")


def check_access(page: Page, axe: str) -> None:
    page.add_script_tag(path=axe)
    result = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    found = [(fault["id"], fault["nodes"][0]["html"][:200]) for fault in result["violations"]]
    assert not found, found


def main() -> None:
    report, game, axe = (Path(path).resolve() for path in sys.argv[1:4])
    pictures = Path(sys.argv[4]) if len(sys.argv) > 4 else None
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
        )

        def opened(path: Path, width: int, **options) -> Page:
            context = browser.new_context(viewport={"width": width, "height": 900}, **options)
            page = context.new_page()
            page.on("console", lambda message: complaints.append(f"{path.name}: {message.text}"))
            page.on("pageerror", lambda error: complaints.append(f"{path.name}: {error}"))
            page.on(
                "request",
                lambda request: request.url.startswith(("file:", "about:"))
                or complaints.append(f"{path.name} asks for {request.url}"),
            )
            page.goto(path.as_uri())
            return page

        for width in WIDTHS:
            for path, checks in [(report, [check_plots, check_table, check_positions]), (game, [check_game])]:
                page = opened(path, width)
                wide = page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, f"{path.name} is {wide} wide at {width}"
                for check in checks:
                    check(page)
                page.context.close()
                for scheme in ["light", "dark"]:
                    page = opened(path, width, color_scheme=scheme, bypass_csp=True)
                    check_access(page, str(axe))
                    if path == report:
                        page.locator("section [data-position] a:visible").first.click()
                        check_access(page, str(axe))
                    page.context.close()
        # Without JavaScript: all tables and numbers, and no controls without a function.
        page = opened(report, 800, java_script_enabled=False)
        assert page.locator("table.filtered tbody tr").count() > 1000
        assert page.locator("button, input, select").count() == 0
        page.context.close()
        if pictures:
            for path, name, width, place in [
                (report, "report", 1200, None),
                (report, "position", 1100, "section [data-position] a:visible"),
                (game, "game", 1200, None),
            ]:
                page = opened(path, width)
                page.set_viewport_size({"width": width, "height": 1450 if name == "report" else 960})
                if place:
                    page.locator(place).first.click()
                page.wait_for_timeout(200)
                page.screenshot(path=pictures / f"{name}.png")
                # In 256 colors, a third of the size.
                picture = Image.open(pictures / f"{name}.png").convert("RGB")
                picture.quantize(256).save(pictures / f"{name}.png", optimize=True)
        browser.close()
    assert not complaints, complaints
    print("the pages work in Chromium", "at widths of", ", ".join(map(str, WIDTHS)))


main()
