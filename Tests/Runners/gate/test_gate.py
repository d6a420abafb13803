# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The gate: every check is in it, it runs each once in order, and what fails is seen."""

import contextlib
import difflib
import io
import os
import pathlib
import re
import subprocess
import tempfile
import threading
import time
import unittest
import unittest.mock

from Runners import pace, turns
from Runners.gate import display, ledger, run as gate, schedule, steps

# Of the gate before `make test` and `make test-all` were two.
FORMER = (
    "lint", "unit", "unit-address", "unit-thread", "capi", "embedded", "exhaustive", "run", "test-iommu",
    "test-iommu-linux", "trace", "replay", "test-linux", "hostile-linux", "coverage",
)  # fmt: skip
MINUTES = ("fuzz", "fuzz-its", "fuzz-smmu", "soak", "soak-its", "soak-smmu", "soak-iommu", "mutants")

# A makefile whose steps do what their names say.
MAKEFILE = """
RESULTS := results
good: ; @mkdir -p $(RESULTS); echo '{"passed": 3, "failed": 0}' >$(RESULTS)/good.json; echo "ok 3 - c"
after: ; @test -e $(RESULTS)/good.json && echo after
bad: ; @echo it is broken; false
counted: ; @mkdir -p $(RESULTS); echo '{"passed": 1, "failed": 2}' >$(RESULTS)/counted.json; false
needy: ; @echo never
lacking: ; @mkdir -p $(RESULTS); echo '{"passed": 0, "failed": 0, "not_run": "no such board"}' >$(RESULTS)/lacking.json
half: ; @mkdir -p $(RESULTS); echo '{"passed": 3' >$(RESULTS)/half.json
hanging: ; @timeout 1000 sleep 1000
changing: ; @touch changed; mkdir -p $(RESULTS); echo '{"passed": 1, "failed": 0}' >$(RESULTS)/changing.json
told: ; @echo "pace $$PORTCULLIS_PACE jobs $$PORTCULLIS_JOBS depth $(DEPTH) built $$PORTCULLIS_BUILT"
images: ; @true
one two: ; @mkdir -p $(RESULTS); mkdir busy && sleep 1 && rmdir busy && echo '{"passed": 1, "failed": 0}' >$(RESULTS)/$@.json
"""

Step = steps.Step


class Steps(unittest.TestCase):
    def test_nothing_of_the_former_gate_is_gone(self):
        whole = {step.name for step in steps.gate("test-all")}
        self.assertLessEqual({*FORMER, *MINUTES}, whole)

    def test_what_is_quick_alone_has_a_whole_form(self):
        whole = {step.name for step in steps.gate("test-all")}
        for step in steps.gate("test"):
            with self.subTest(step.name):
                self.assertTrue(step.whole or step.name.removesuffix("-brief") in whole)

    def test_what_a_step_needs_is_in_its_gate_and_before_it(self):
        for name in ("test", "test-all"):
            seen = set()
            for step in steps.gate(name):
                self.assertLessEqual(set(step.after), seen, step.name)
                seen.add(step.name)

    def test_each_step_is_a_target(self):
        text = pathlib.Path("Makefile").read_text("utf-8")
        targets = set()
        for names in re.findall(r"^([a-z][a-z -]*):(?!=)", text, re.MULTILINE):
            targets.update(names.split())
        self.assertEqual({step.name for step in steps.STEPS} - targets, set())

    def test_contributing_has_the_table(self):
        text = pathlib.Path("CONTRIBUTING.md").read_text("utf-8").splitlines()
        begin = text.index(next(steps.table()))
        found = text[begin : text.index("", begin)]
        different = [line for line in difflib.ndiff(found, list(steps.table())) if line[0] != " "]
        if different:
            self.fail("python3 -m Runners.gate.steps prints CONTRIBUTING's table:\n" + "\n".join(different))

    def test_chosen(self):
        all_steps = [Step(name, 1, "") for name in "abc"]
        names = lambda *arguments: [step.name for step in steps.chosen("test", all_steps, *arguments)]
        self.assertEqual(names(), ["a", "b", "c"])
        self.assertEqual(names(("c", "a")), ["a", "c"])
        self.assertEqual(names((), "b"), ["b", "c"])
        for wrong in ((("d",),), ((), "d")):
            with self.assertRaises(ValueError):
                names(*wrong)

    def test_needs(self):
        all_steps = [Step("a", 1, ""), Step("b", 1, "", ("a",)), Step("c", 1, "", ("b",)), Step("d", 1, "")]
        found = steps.with_needs(all_steps, [all_steps[2]])
        self.assertEqual([step.name for step in found], ["a", "b", "c"])


class Turns(unittest.TestCase):
    def printed(self, work, items, most):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            results = list(turns.in_turn(work, items, most))
        return results, out.getvalue().splitlines()

    def test_side_by_side_and_in_order(self):
        both = threading.Barrier(2, timeout=20)

        def work(item, say):
            say(f"{item} starts")
            both.wait()
            say(f"{item} ends")
            return item * 10

        results, lines = self.printed(work, [1, 2, 3, 4], 2)
        self.assertEqual(results, [10, 20, 30, 40])
        self.assertEqual(lines, [f"{n} {w}" for n in (1, 2, 3, 4) for w in ("starts", "ends")])

    def test_an_exception_is_seen(self):
        def work(item, say):
            raise ValueError(item)

        with self.assertRaises(ValueError):
            self.printed(work, [1], 1)

    def test_as_many_as_there_are_jobs(self):
        with unittest.mock.patch.dict(os.environ, {turns.VARIABLE: "3"}):
            all_three = threading.Barrier(3, timeout=20)
            results, _ = self.printed(lambda item, say: all_three.wait() >= 0, [1, 2, 3], None)
            self.assertEqual(results, [True] * 3)

    def test_jobs_are_those_of_the_gate(self):
        with unittest.mock.patch.dict(os.environ, {turns.VARIABLE: "7"}):
            self.assertEqual(turns.jobs(), 7)


class Pace(unittest.TestCase):
    def setUp(self):
        pace.factor.cache_clear()
        self.addCleanup(pace.factor.cache_clear)

    def test_limits_follow(self):
        with unittest.mock.patch.dict(os.environ, {pace.VARIABLE: "2.5"}):
            self.assertEqual(pace.limit(60), 150)

    def test_a_fast_machine_keeps_them(self):
        with unittest.mock.patch.object(pace, "REFERENCE", 1e6):
            self.assertEqual(pace.measure(), 1)

    def test_the_slowest_processor_counts(self):
        fast, slow = (unittest.mock.Mock(communicate=lambda text=text: (text, None)) for text in ("0.72", "7.2"))
        with (
            unittest.mock.patch.object(pace.subprocess, "Popen", side_effect=[slow, fast]),
            unittest.mock.patch.object(os, "cpu_count", lambda: 2),
        ):
            self.assertEqual(pace.measure(), 10)

    def test_a_slow_machine_is_seen(self):
        with unittest.mock.patch.object(pace, "REFERENCE", 1e-3):
            self.assertGreater(pace.measure(), 10)


class Gate(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        (self.directory / "Makefile").write_text(MAKEFILE)
        self.commit = "abc"

    def run_gate(self, *all_steps, names="", begin="", flags=""):
        """The exit status and the lines of a gate of these steps."""
        results = self.directory / "results"
        options = unittest.mock.Mock(
            gate="test", make=f"make -C {self.directory}", results=results, steps=names, begin=begin
        )
        out = io.StringIO()
        with (
            unittest.mock.patch.object(steps, "STEPS", all_steps),
            unittest.mock.patch.object(pace, "measure", lambda: 1.5),
            unittest.mock.patch.object(ledger, "commit", self.current),
            unittest.mock.patch.dict(os.environ, {"MAKEFLAGS": flags}),
        ):
            status = gate.Gate(options, display.Plain(out)).run()
        return status, out.getvalue().splitlines()

    def current(self):
        return self.commit + "+" * (self.directory / "changed").exists()

    def left(self, lines):
        [line] = [line for line in lines if line.startswith("not passed on commit ")]
        return line.partition(": ")[2].split()

    def test_good(self):
        status, lines = self.run_gate(Step("good", 10, ""), Step("after", 10, "", ("good",)))
        self.assertEqual((status, lines[-1]), (0, "3 passed, 0 failed"))
        self.assertEqual(self.left(lines), ["none"])
        self.assertTrue(any(line.startswith("good ") and line.endswith("15       3       0") for line in lines))
        self.assertTrue(any(line.startswith("ok    good (0:0") for line in lines))

    def test_bad(self):
        status, lines = self.run_gate(
            Step("good", 10, ""), Step("bad", 10, ""), Step("counted", 10, ""),
            Step("needy", 10, "", ("bad",)), Step("needier", 10, "", ("needy",)),
        )  # fmt: skip
        self.assertEqual((status, lines[-1]), (1, "4 passed, 3 failed"))
        self.assertTrue(any(line.startswith("FAIL  bad (") for line in lines))
        self.assertTrue(any("| it is broken" in line for line in lines))
        table = lines.index("==> summary")
        self.assertIn("how bad ended:", lines[table:])
        self.assertIn("  | it is broken", lines[table:])
        for name in ("needy  ", "needier"):
            self.assertIn(f"{name}  not run: what it needs has failed", lines)
        self.assertEqual(self.left(lines), ["bad", "counted", "needy", "needier"])

    def test_what_was_left_before_does_not_count(self):
        (self.directory / "results").mkdir()
        (self.directory / "results" / "bad.json").write_text('{"passed": 9, "failed": 0}')
        _, lines = self.run_gate(Step("bad", 10, ""))
        self.assertEqual(lines[-1], "0 passed, 1 failed")

    def test_half_a_result_is_a_failure(self):
        _, lines = self.run_gate(Step("good", 10, ""), Step("half", 10, ""))
        self.assertEqual(lines[-1], "3 passed, 1 failed")

    def test_nothing_is_no_success(self):
        self.assertEqual(self.run_gate(Step("told", 10, ""))[0], 1)
        self.assertEqual(self.run_gate(Step("told", 10, ""), names="told")[0], 0)

    def test_what_was_not_run_has_not_passed(self):
        both = Step("good", 10, ""), Step("lacking", 10, "")
        _, lines = self.run_gate(*both)
        self.assertTrue(any("not run: no such board" in line for line in lines))
        self.assertEqual(self.left(lines), ["lacking"])
        _, lines = self.run_gate(*both, names="left")
        self.assertTrue(lines[0].startswith("1 step "))

    def test_a_step_that_hangs_is_ended(self):
        start = time.monotonic()
        with unittest.mock.patch.object(schedule, "PATIENCE", 1):
            status, lines = self.run_gate(Step("good", 10, ""), Step("hanging", 1, ""))
        self.assertEqual(status, 1)
        self.assertLess(time.monotonic() - start, 100)
        self.assertTrue(any("ended: it took too long" in line for line in lines))
        self.assertTrue(any(line.startswith("hanging") and "over budget" in line for line in lines))

    def test_what_runs_is_ended_with_the_gate(self):
        class Interrupted(display.Plain):
            def refresh(self, running, waiting):
                raise KeyboardInterrupt

        with unittest.mock.patch.object(display, "Plain", Interrupted):
            start = time.monotonic()
            status, lines = self.run_gate(Step("hanging", 1000, ""))
        self.assertEqual(status, 130)
        self.assertEqual(lines[-1], "interrupted; `make test STEPS=left` goes on")
        self.assertEqual(self.left(lines), ["hanging"])
        self.assertLess(time.monotonic() - start, 100)
        commands = [path.read_bytes() for path in pathlib.Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
        self.assertNotIn(f"make -C {self.directory} --no-print-directory hanging".replace(" ", "\0").encode() + b"\0",
                         commands)  # fmt: skip

    def test_what_a_step_is_told(self):
        self.run_gate(
            Step("good", 10, ""), Step("images", 10, "", ("good",)),
            Step("told", 10, "", ("images",), variables=("DEPTH=9",)),
        )  # fmt: skip
        log = self.directory / "results" / "logs" / "told.log"
        self.assertIn(f"pace 1.5 jobs {os.cpu_count()} depth 9 built 1", log.read_text())

    def test_steps_share_the_processors(self):
        with unittest.mock.patch.object(os, "cpu_count", lambda: 2):
            self.run_gate(Step("told", 10, ""), Step("one", 10, ""))
        log = self.directory / "results" / "logs" / "told.log"
        self.assertIn("jobs 1 ", log.read_text())

    def test_not_more_steps_than_processors(self):
        # Two at a time would meet in the folder that each makes for itself.
        with unittest.mock.patch.object(os, "cpu_count", lambda: 1):
            self.assertEqual(self.run_gate(Step("one", 10, ""), Step("two", 10, ""))[1][-1], "2 passed, 0 failed")

    def test_no_two_steps_work_in_a_folder(self):
        both = [Step(name, 10, "", folders=("busy",)) for name in ("one", "two")]
        with unittest.mock.patch.object(os, "cpu_count", lambda: 2):
            self.assertEqual(self.run_gate(*both)[1][-1], "2 passed, 0 failed")

    def test_the_rest_is_run_on_the_same_commit_alone(self):
        both = Step("good", 10, ""), Step("counted", 10, "")
        self.run_gate(*both)
        _, lines = self.run_gate(*both, names="left")
        self.assertTrue(lines[0].startswith("1 step "))
        # What passed before is in the table, and not in the count.
        self.assertTrue(any(line.startswith("good ") and line.endswith("earlier") for line in lines))
        self.assertEqual(lines[-1], "1 passed, 2 failed")
        self.commit = "abd"
        _, lines = self.run_gate(*both, names="counted")
        self.assertEqual(self.left(lines), ["good", "counted"])

    def test_changes_are_of_no_commit_and_lose_nothing(self):
        both = Step("good", 10, ""), Step("changing", 10, "", ("good",))
        # The tree changes while the gate runs.
        _, lines = self.run_gate(*both)
        self.assertTrue(any(line.startswith("not passed on commit abc+") for line in lines))
        (self.directory / "changed").unlink()
        _, lines = self.run_gate(*both, names="left")
        self.assertTrue(lines[0].startswith("1 step "), lines[0])
        (self.directory / "changed").unlink()
        # So does a variable that makes a step another one.
        self.run_gate(both[0], names="good", flags="r -- MUTANTS=one STEPS=good")
        self.commit = "abd"
        self.run_gate(both[0], names="good", flags="r -- MUTANTS=one STEPS=good")
        _, lines = self.run_gate(both[0], flags="r -- STEPS=good\\ bad")
        self.assertEqual(lines[-1], "3 passed, 0 failed")

    def test_a_need_that_has_passed_is_not_run_again(self):
        both = Step("good", 10, ""), Step("after", 10, "", ("good",))
        self.run_gate(*both)
        _, lines = self.run_gate(*both, names="after")
        self.assertTrue(lines[0].startswith("1 step "))

    def test_from(self):
        status, lines = self.run_gate(
            Step("bad", 10, ""), Step("good", 10, ""), Step("after", 10, "", ("good",)), begin="after"
        )
        self.assertEqual((status, lines[-1]), (0, "3 passed, 0 failed"))
        self.assertEqual(self.left(lines), ["bad"])

    def test_what_can_not_be_chosen(self):
        steps_there = Step("good", 10, ""), Step("whole", 10, "", quick=False)
        for names, begin, told in (
            ("nonsense", "", "step 'nonsense' is not there; make test has: good"),
            ("whole", "", "step 'whole' is not in this gate"),
            ("", "nonsense", "step 'nonsense' is not there"),
            ("good", "good", "STEPS and FROM"),
        ):
            with self.assertRaisesRegex(ValueError, told):
                self.run_gate(*steps_there, names=names, begin=begin)
        self.run_gate(steps_there[0])
        with self.assertRaisesRegex(ValueError, "nothing is left on commit abc"):
            self.run_gate(steps_there[0], names="left")

    def test_a_ledger_that_is_broken_is_begun_anew(self):
        for text in ('[{"step": "good"', '[{"step": "good", "old": 1}]'):
            (self.directory / "results").mkdir(exist_ok=True)
            (self.directory / "results" / "ledger.json").write_text(text)
            self.assertEqual(self.run_gate(Step("good", 10, ""))[0], 0)


class Terminal(unittest.TestCase):
    def test_lines_of_what_runs_are_written_anew(self):
        out = io.StringIO()
        screen = display.Terminal(out)
        running = unittest.mock.Mock(seconds=75, last="\x1b[1Aok 23 - c" + "d" * 300)
        running.step.name = "run"
        screen.refresh([running], 3)
        self.assertIn("  run ", out.getvalue())
        self.assertIn("1:15  ok 23 - c", out.getvalue())
        self.assertIn("steps that wait: 3", out.getvalue())
        self.assertNotIn("\x1b", out.getvalue())
        self.assertLess(len(out.getvalue()), 200)
        screen.say("ok    run")
        self.assertTrue(out.getvalue().endswith("\x1b[2A\x1b[Jok    run\n"))

    def test_plain_elsewhere(self):
        self.assertIs(type(display.of(io.StringIO())), display.Plain)


class Commit(unittest.TestCase):
    def test_changes_are_seen(self):
        with tempfile.TemporaryDirectory() as name:
            def git(*arguments):
                subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments], cwd=name, check=True,
                               stdout=subprocess.DEVNULL)  # fmt: skip

            def commit():
                with contextlib.chdir(name):
                    return ledger.commit()

            with unittest.mock.patch.dict(os.environ, {"GIT_CEILING_DIRECTORIES": str(pathlib.Path(name).parent)}):
                self.assertEqual(commit(), "unknown+")
                git("init", "--quiet")
                git("commit", "--allow-empty", "--quiet", "--message", "a")
                self.assertRegex(commit(), "^[0-9a-f]{40}$")
                pathlib.Path(name, "file").write_text("a")
                self.assertRegex(commit(), r"^[0-9a-f]{40}\+$")
