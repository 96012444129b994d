"""The exercises, as data: a folder for each. See evolution/course/exercise.py."""
