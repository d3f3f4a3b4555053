#!/usr/bin/env python3
"""The table of `make eval` for the chance of a missed appointment: goal beside measure, then calibration.

    no_show.py FOLDER NO_SHOW

FOLDER holds no_show.csv and the `score.py` that scores it; NO_SHOW is the built example `no_show`.
Ends with 1 when a goal is missed, 2 when there is nothing to measure. Standard library only.
"""
import contextlib
import importlib.util
import io
import pathlib
import re
import subprocess
import sys
import tempfile

# what is measured, where score.py prints it, at least or at most, goal, ambitious goal
GOALS = (
    ("AUC", r"AUC=([\d.]+)", ">=", 0.71, 0.725),
    ("Brier, of a constant's", r"ratio=([\d.]+)", "<=", 0.92, 0.895),
)


def scorer(folder):
    """The folder's own scoring program, loaded without leaving compiled files beside it."""
    sys.dont_write_bytecode = True
    spec = importlib.util.spec_from_file_location("score", folder / "score.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def printed(score, gold, predictions):
    """What score.py prints of the predictions."""
    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8") as file:
        file.write(predictions)
        file.flush()
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            score.no_show(str(gold), file.name)
    return out.getvalue()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder, program = pathlib.Path(sys.argv[1]), sys.argv[2]
    gold = folder / "no_show.csv"
    if not gold.exists() or not (folder / "score.py").exists():
        print(f"NOTHING MEASURED: {folder} has no no_show.csv or no score.py", file=sys.stderr)
        return 2
    with open(gold, encoding="utf-8") as rows:
        done = subprocess.run([program], stdin=rows, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"no_show: {done.stderr.strip()}")
    text = printed(scorer(folder), gold, done.stdout)
    missed = 0
    for what, pattern, side, goal, ambitious in GOALS:
        found = re.search(pattern, text)
        value = float(found.group(1)) if found else None
        reached = lambda bound: value is not None and (value >= bound if side == ">=" else value <= bound)
        missed += not reached(goal)
        met = "NO" if not reached(goal) else "yes, and the ambitious one" if reached(ambitious) else "yes"
        print("%-10s  %-36s  %8s  %9s  %s" % ("no_show", what, f"{side} {goal:g}", value, met))
    # The first line was read above; the others are calibration by tenths of the chance.
    print("\n".join(text.splitlines()[1:]))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
