"""Reads an asset by the catalogue again and again until its input ends, and prints how many rows it got: follow.py <root> <asset>."""

import pathlib
import select
import sys

from read import by_catalogue

root, asset = pathlib.Path(sys.argv[1]), sys.argv[2]
ended = False
while not ended:
    # Once more after the end: what was written last is read as well.
    ended = bool(select.select([sys.stdin], [], [], 0)[0])
    print(by_catalogue(root, asset)[0].num_rows, flush=True)
