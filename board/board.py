"""The values of board.mk for python programs."""
import pathlib


def values():
    lines = (pathlib.Path(__file__).resolve().parent / "board.mk").read_text().splitlines()
    return dict(line.split(" := ", 1) for line in lines if " := " in line)
