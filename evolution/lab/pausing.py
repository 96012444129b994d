"""A function that can pause, as small as it goes."""


def conversation():
    print("reads the first half")
    yield "waits until there is more"
    print("reads the rest, and answers")
