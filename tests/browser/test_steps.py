"""The seven steps in a real notebook: buttons, keys and slider go through the run; in both themes."""

import pytest
from serving import eventually

from evolution.views import figure

pytestmark = pytest.mark.browser

SHOW = """
from evolution import lab
view = lab.steps({})
view
"""


@pytest.mark.parametrize(("theme", "oneshot"), [("light", True), ("dark", False)])
def test_step_through_a_run(jupyter, open_notebook, theme, oneshot):
    source = SHOW.format(f"oneshot={oneshot}")
    desk = open_notebook(jupyter.write(f"steps-{theme}.ipynb", source), theme=theme)
    desk.run_all()
    root = desk.page.locator(".evo-steps")
    root.locator("[data-thread]").first.wait_for()
    frames = desk.ask("view.state")["frames"]
    assert root.get_attribute("data-frames") == str(len(frames))
    root.get_by_label("On: one step on").click()
    shows(root, frames, 1)
    root.locator(".evo-stage").focus()
    root.locator(".evo-stage").press(".")
    shows(root, frames, 2)
    root.locator(".evo-stage").press(",")
    shows(root, frames, 1)
    telling = next(i for i, frame in enumerate(frames) if len(frame["hands"]) == 2)
    scrub = root.get_by_label("Step shown")
    scrub.focus()
    for _ in range(telling - 1):
        scrub.press("ArrowRight")
    shows(root, frames, telling)
    desk.picture(f"steps-{theme}", ".evo-steps")
    scrub.press("End")
    shows(root, frames, len(frames) - 1)
    said = root.locator(".evo-sentence").text_content()
    assert "In all:" in said and ("The run goes on" in said) is not oneshot
    assert root.get_by_label("On: one step on").is_disabled()


def shows(root, frames, number):
    eventually(lambda: root.get_attribute("data-frame") == str(number), f"step {number + 1}")
    frame = frames[number]
    eventually(lambda: frame["words"] in root.locator(".evo-sentence").text_content(), frame["words"])
    names = "all => all.map(node => node.dataset.conn)"
    queue = root.locator('[data-place="queue"]').evaluate_all(names)
    assert queue[: len(frame["queue"])] == frame["queue"][: len(queue)]
    held = root.locator('[data-place="hand"], [data-place="two"]').evaluate_all(
        "all => all.map(n => n.dataset.conn)"
    )
    assert sorted(held) == sorted(frame["hands"].values())


def test_narrow(jupyter, open_notebook):
    desk = open_notebook(jupyter.write("steps-narrow.ipynb", SHOW.format("")))
    desk.run_all()
    root = desk.page.locator(".evo-steps")
    root.locator("[data-thread]").first.wait_for()
    narrow = "width: 360px; max-width: 360px; flex: none"
    root.evaluate("(node, style) => (node.parentElement.style.cssText = style)", narrow)
    least = str(figure.WIDTHS[0])
    eventually(lambda: root.get_attribute("data-width") == least, "the narrow figure")
    root.get_by_label("On: one step on").click()
    desk.picture("steps-narrow", ".evo-steps")
    assert root.evaluate("node => node.scrollWidth <= 361")
