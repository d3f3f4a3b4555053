#!/usr/bin/env python3
"""The table of `make eval`: every detector over a folder of labelled rows, goal beside measure.

    table.py FOLDER DETECT

FOLDER holds KIND.jsonl files and the `score.py` that scores them; DETECT is the built example `detect`.
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

KINDS = ("intent", "sentiment", "injection", "datetime", "phone", "choice", "booking")
# kind, what is measured, where score.py prints it (one group, or two: a/b), at least or at most, goal
GOALS = (
    ("intent", "macro-F1, labels of 20 rows or more", r"20 rows or more: ([\d.]+)", ">=", 0.85),
    ("intent", "accuracy", r"accuracy=([\d.]+)", ">=", 0.88),
    ("intent", "false booking alarms", r"other messages: (\d+)/(\d+)", "<=", 0.01),
    ("booking", "label macro-F1", r"macro-F1=([\d.]+)", ">=", 0.92),
    ("booking", "when exact", r"when exact: (\d+)/(\d+)", ">=", 0.92),
    ("booking", "option", r"option: (\d+)/(\d+)", ">=", 0.97),
    ("booking", "silently wrong", r"silently wrong: (\d+)/(\d+)", "<=", 0.02),
    ("booking", "asked needlessly", r"asked needlessly (\d+)/(\d+)", "<=", 0.05),
    ("sentiment", "macro-F1", r"macro-F1=([\d.]+)", ">=", 0.60),
    ("injection", "recall, Portuguese core", r"pt core: recall (\d+)/(\d+)", ">=", 0.85),
    ("injection", "recall, Portuguese obfuscated", r"pt obfuscated: recall (\d+)/(\d+)", ">=", 0.90),
    ("injection", "alarms on ordinary messages", r"ordinary messages (\d+)/(\d+)", "<=", 0.003),
    ("datetime", "core", r"core \(.*?exact=([\d.]+)", ">=", 0.90),
    ("datetime", "all", r"n=\d+ exact=([\d.]+)", ">=", 0.70),
    ("phone", "mobile", r"mobile: (\d+)/(\d+)", ">=", 1.0),
    ("phone", "landline", r"landline: (\d+)/(\d+)", ">=", 1.0),
    ("choice", "accuracy", r"accuracy=([\d.]+)", ">=", 0.95),
)
# Per message of up to 200 characters; the mean is judged, because the worst of a busy machine is chance.
MICROSECONDS_MAX = 50.0


def scorer(folder):
    """The folder's own scoring program, loaded without leaving compiled files beside it."""
    sys.dont_write_bytecode = True
    spec = importlib.util.spec_from_file_location("score", folder / "score.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def detect(program, kind, gold, *arguments):
    with open(gold, encoding="utf-8") as rows:
        done = subprocess.run([program, kind, *arguments], stdin=rows, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"detect {kind}: {done.stderr.strip()}")
    return done.stdout


def report(score, program, kind, gold):
    """What score.py prints of a kind's predictions."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as predictions:
        predictions.write(detect(program, kind, gold))
        predictions.flush()
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            score.TASK[kind](score.align(score.load(gold), score.load(predictions.name)))
    return printed.getvalue()


def measured(text, pattern):
    found = re.search(pattern, text)
    if not found:
        return None
    parts = [float(part) for part in found.groups()]
    return parts[0] if len(parts) == 1 else (parts[0] / parts[1] if parts[1] else None)


def line(*cells):
    print("%-10s  %-36s  %8s  %9s  %s" % cells)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder, program = pathlib.Path(sys.argv[1]), sys.argv[2]
    files = {kind: folder / f"{kind}.jsonl" for kind in KINDS if (folder / f"{kind}.jsonl").exists()}
    if not files or not (folder / "score.py").exists():
        print(f"NOTHING MEASURED: {folder} has no rows or no score.py", file=sys.stderr)
        return 2
    score = scorer(folder)
    printed = {kind: report(score, program, kind, gold) for kind, gold in files.items()}
    missed = 0
    line("kind", "what", "goal", "measured", "met")
    for kind, what, pattern, side, goal in GOALS:
        value = measured(printed.get(kind, ""), pattern)
        if value is None:
            line(kind, what, f"{side} {goal:g}", "-", "not measured")
            continue
        met = value >= goal if side == ">=" else value <= goal
        missed += not met
        line(kind, what, f"{side} {goal:g}", f"{value:.4f}", "yes" if met else "NO")
    for kind, gold in files.items():
        time = detect(program, kind, gold, "--time").strip()
        mean = measured(time, r"to 200 characters: .*?mean ([\d.]+)")
        met = mean is not None and mean <= MICROSECONDS_MAX
        missed += not met
        line(kind, "us a message of up to 200 characters", f"<= {MICROSECONDS_MAX:g}", mean, ("yes" if met else "NO") + f"  ({time})")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
