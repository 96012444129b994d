"""A timeline that grew by increments is the one that is drawn at once; a page of its own, without Jupyter."""

import json

import pytest

from evolution.lab import record, recording
from evolution.lab.experiment import run
from evolution.lab.launch import start
from evolution.views import Timeline

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><meta charset="utf-8"><style>%(css)s</style><div id="host" style="width:720px"></div>
<script type="module">
const traits = %(traits)s, heard = window.heard = {};
const model = {
    get: (name) => traits[name], on: (what, callback) => { heard[what] = callback; }, off() {},
    send() { window.asked = true; },
};
const text = new Blob([%(esm)s], { type: "text/javascript" });
const view = (await import(URL.createObjectURL(text))).default();
view.initialize({ model });
view.render({ model, el: document.getElementById("host") });
</script>"""
TELL = """async (updates) => {
    for (const update of updates) { heard["msg:custom"](update); await new Promise(requestAnimationFrame); }
    for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
}"""
DRAWN = """() => [...document.querySelectorAll(".evo-drawing *")]
    .filter((node) => !node.closest("defs, [data-live]")).map((node) => {
        const facts = [...node.attributes].filter(({ name }) => name !== "clip-path");
        const said = facts.map(({ name, value }) => `${name}=${value}`).sort();
        return [node.tagName, ...said, node.children.length ? "" : node.textContent].join(" ");
    }).sort()"""


@pytest.fixture
def drawn(browser, tmp_path):
    """Draw a state, tell it updates, return every node of the picture."""

    def drawn(state, updates=()):
        view = Timeline(state)
        traits = json.dumps({"state": view.state, "language": view.language})
        page = browser.new_page()
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        file = tmp_path / "page.html"
        file.write_text(
            PAGE % {"css": Timeline._css, "traits": traits, "esm": json.dumps(str(Timeline._esm))}
        )
        page.goto(file.as_uri())
        page.wait_for_function("document.querySelector('.evo-timeline[data-now]')")
        page.evaluate(TELL, list(updates))
        found = page.evaluate(DRAWN)
        assert errors == [] and not page.evaluate("window.asked")
        page.close()
        return found

    return drawn


@pytest.mark.parametrize("model", ["fork", "epoll_loop"])
def test_increments_end_in_the_same_picture(drawn, model, tmp_path):
    crowd = [*record.CROWD[:1], ("keep_alive", 20), ("polite", 30, {"path": "/slow?seconds=0.05"})]
    with start(model) as server:
        run(server, crowd, seconds=4.0).recording.save(tmp_path / "run.jsonl")
    replay = recording.load(tmp_path / "run.jsonl").replay(float("inf"))
    first, updates = replay.story.as_dict(), []
    replay.subscribe(lambda update: update["kind"] == "timeline" and updates.append(update))
    replay.start()
    assert replay.wait(60)
    grown, at_once = drawn(first, updates), drawn(replay.story.as_dict())
    assert len(updates) > 10 and len(at_once) > 300
    assert grown == at_once
