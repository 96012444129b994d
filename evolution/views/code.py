"""Python source in the colours of the notebook's own code editor: what kind each piece of a line is.

Pygments reads it, since it stops at nothing: a learner's half-written answer is coloured too.
"""

from pygments.lexers import PythonLexer
from pygments.token import Token

KINDS = {
    # kind: (on a light page, on a dark one, JupyterLab's variable for it, further CSS)
    "keyword": ("#007A00", "#5FBF64", "keyword", "font-weight:700"),
    "builtin": ("#007A00", "#5FBF64", "builtin", ""),
    "def": ("#0000E6", "#5AA9F5", "def", ""),
    "string": ("#B31F1F", "#FF8080", "string", ""),
    "number": ("#007A00", "#66BB6A", "number", ""),
    "operator": ("#7800C2", "#D48FFF", "operator", ""),
    "meta": ("#8F1FD6", "#C88BFF", "meta", ""),
    "comment": ("#387373", "#79B8B8", "comment", "font-style:italic"),
    "": ("#1F2933", "#E8EBEE", "variable", ""),
}
"""What can be told apart; "" is everything else."""

_TOKENS = (
    (Token.Comment, "comment"),
    (Token.Literal.String, "string"),
    (Token.Literal.Number, "number"),
    (Token.Keyword, "keyword"),
    (Token.Operator.Word, "keyword"),
    (Token.Operator, "operator"),
    (Token.Name.Function, "def"),
    (Token.Name.Class, "def"),
    (Token.Name.Decorator, "meta"),
    (Token.Name.Builtin.Pseudo, ""),  # self is a name like any other
    (Token.Name.Builtin, "builtin"),
)


def kind(token):
    """Return the kind of a Pygments token."""
    return next((name for of, name in _TOKENS if token in of), "")


def lines(text):
    """Return for each line of `text` its pieces [(kind, words)], in order; together they are the line."""
    found = [[]]
    for token, value in PythonLexer(stripnl=False, ensurenl=False).get_tokens(text):
        first, *rest = value.split("\n")
        for number, piece in enumerate([first, *rest]):
            if number:
                found.append([])
            if piece:
                found[-1].append((kind(token), piece))
    return found[: len(text.splitlines())]


def css(root):
    """Return the style sheet for the kinds under `root`: the editor's colours, a little nearer to the ink.

    JupyterLab's comments do not reach 4.5:1 on every page; a quarter of the ink brings them there.
    """
    rules = ""
    for name, (light, _, variable, more) in KINDS.items():
        colour = f"color-mix(in srgb,var(--jp-mirror-editor-{variable}-color,{light}) 74%,var(--evo-ink))"
        rules += f"{root} .evo-code-{name}{{color:{colour};{more}}}\n" if name else ""
    return rules
