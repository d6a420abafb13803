# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""What is read of models and of what spin says, and what is found wrong with it."""

import pathlib
import tempfile
import unittest

from Runners.models import model, run, search

TEXT = """/*
 * Correspondence:
 *   | of the model | of the code |
 *   |---|---|
 *   | ring | Room/File.swift: ring, find |
 *   | its | none: the hardware |
 *
 * Runs:
 *   | run | kind | flags |
 *   |---|---|---|
 *   | all | safety | CPUS=2 STALLS |
 *   | ends | liveness | CPUS=2 |
 *
 * Reached:
 *   | state | run |
 *   |---|---|
 *   | FULL | all |
 *
 * Mutations:
 *   | flag | run | breaks | test |
 *   |---|---|---|---|
 *   | LOCK_DROPPED | all | taken_once | "a test" |
 *   | SYNC_OMITTED | all | taken_once | "a test" |
 *   | FIRST | all | taken_once | "a test" |
 *   | SECOND | all | taken_once | no test: nothing does it |
 *   | THIRD | ends | ends | "a test" |
 */
bit read_once, taken_once;
#if defined(LOCK_DROPPED) || defined(SYNC_OMITTED)
#ifdef FIRST
#ifndef SECOND
#ifdef THIRD
#define FULL (count == 2)
inline ring() { skip }
active proctype its() { ring() }
ltl ends { <> true }
"""
VERIFIED = """
State-vector 20 byte, depth reached 12, errors: 0
       15 states, stored
       31 transitions (= stored+matched)
  128.730\ttotal actual memory usage

unreached in proctype its
\t/a/b/model.pml:7, state 3, "count = 2"
\t(1 of 5 states)
unreached in init
\t(0 of 2 states)
"""
REFUTED = """pan:1: assertion violated ((a==b)||taken_once) (at depth 42)
Warning: Search not completed
State-vector 20 byte, depth reached 50, errors: 1
       15 states, stored
"""
HEADER = "typedef struct P0 { /* its */\n"
PROGRAM = "short src_ln0 [] = {\n\t  0, 5, 6, 7, 0, };\n"
MOVES = """/* PROC its */
\tcase 3: // STATE 1 - /a/model.pml:5 - [count = 1] (0:0:1 - 1)
\t\t/* merge: count = 2(0, 3, 4) */
\t\t/* merge: .(goto)(0, 4, 5) */
"""


class ModelTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "Room").mkdir()
        (self.folder / "Room/File.swift").write_text("func ring() {}\n  func find() {}\n")

    def read(self, text=TEXT):
        path = self.folder / "model.pml"
        path.write_text(text)
        return model.read(path)

    def faults(self, text=TEXT, tests=("a test",)):
        found = self.read(text)
        return [*model.stale(found, self.folder)] + [
            fault for fault in model.faults(found, tests) if "Sources" not in fault
        ]

    def test_tables_are_read(self):
        found = self.read()
        self.assertEqual([each.name for each in found.runs], ["all", "ends"])
        self.assertEqual(found.runs[0].flags, ("CPUS=2", "STALLS"))
        self.assertEqual(found.mutations[0].run, found.runs[0])
        self.assertEqual(found.reached[0].flag, "FULL")
        self.assertEqual(self.faults(), [])

    def test_what_a_table_lacks_is_an_error(self):
        for old, new in (
            ("Mutations:", "Others:"), ("| FULL | all |", "| FULL | none |"), ("| FULL | all |", "| FULL |"),
            ("| ends | liveness | CPUS=2 |", "| ends | liveness |"),
        ):  # fmt: skip
            with self.assertRaises(model.Malformed):
                self.read(TEXT.replace(old, new))

    def test_each_fault_is_found(self):
        for old, new, word in (
            ("File.swift: ring, find", "File.swift: ring, lost", "has no lost"),
            ("Room/File.swift", "Room/Lost.swift", "there is no Sources/Room/Lost.swift"),
            ("| ring | Room", "| rang | Room", "ring corresponds to nothing"),
            ("inline ring()", "inline rang()", "rang corresponds to nothing"),
            ("ltl ends", "ltl end", "ends is liveness"),
            ("| all | safety", "| all | safe", "is neither"),
            ("#define FULL ", "#define EMPTY ", "FULL is not defined"),
            ("#ifdef FIRST", "#ifdef OTHER", "nothing depends on FIRST"),
            ("once, taken_once", "once", "no property taken_once"),
            ('| ends | ends | "a test" |', '| ends | ends | "another" |', "no test is named"),
            ("no test: nothing does it", "none", "names no test"),
            (' *   | THIRD | ends | ends | "a test" |\n', "", "4 mutations"),
        ):
            self.assertTrue(any(word in fault for fault in self.faults(TEXT.replace(old, new))), word)


class SearchTests(unittest.TestCase):
    WANTED = model.Refuted("FIRST", None, "taken_once")

    def test_a_whole_search_without_an_error_verifies(self):
        result = search.parse(VERIFIED)
        self.assertTrue(result.is_verified)
        self.assertEqual(result.figures, {
            "states": 15, "transitions": 31, "depth": 12, "megabytes": 128.73, "errors": 0,
        })  # fmt: skip
        self.assertIsNone(run.fault(result, None))
        self.assertEqual(run.fault(result, self.WANTED), "nothing is found")

    def test_a_search_that_did_not_end_verifies_nothing(self):
        for text in (
            "", VERIFIED + "error: max search depth too small\n", VERIFIED + "pan: reached -DMEMLIM bound\n",
            VERIFIED.replace("errors: 0", "errors: 1"),
        ):  # fmt: skip
            self.assertFalse(search.parse(text).is_verified)
            self.assertIsNotNone(run.fault(search.parse(text), None))

    def test_a_defect_must_break_its_own_property(self):
        result = search.parse(REFUTED)
        self.assertEqual(result.trail, 42)
        self.assertIsNone(run.fault(result, self.WANTED))
        self.assertIn("another", run.fault(result, model.Refuted("FIRST", None, "read_once")))
        self.assertIn("42 steps", run.fault(result, None))

    def test_a_cycle_is_about_its_formula(self):
        text = "pan:1: acceptance cycle (at depth 9)\n"
        self.assertIsNone(run.fault(search.parse(text, formula="ends"), model.Refuted("THIRD", None, "ends")))
        other = "pan:1: invalid end state (at depth 9)\n"
        self.assertIn("another", run.fault(search.parse(other), model.Refuted("THIRD", None, "ends")))

    def test_a_formula_is_searched_with_fairness(self):
        self.assertFalse(search.parse(VERIFIED, formula="ends").is_verified)
        text = VERIFIED + "\tnever claim \t+ (ends)\n\tacceptance   cycles \t+ (fairness enabled)\n"
        self.assertTrue(search.parse(text, formula="ends").is_verified)

    def test_statements_that_no_run_reaches_are_told(self):
        compiled = search.statements(HEADER, PROGRAM, MOVES)
        self.assertEqual(compiled, {("its", 1): (5, "count = 1"), ("its", 3): (7, "count = 2")})
        first = search.parse(VERIFIED, *search.coverage(compiled, VERIFIED))
        self.assertEqual(run.unreached([first]), [(7, "count = 2")])
        second = search.parse(VERIFIED, *search.coverage(compiled, ""))
        self.assertEqual(run.unreached([first, second]), [])

    def test_the_table_has_a_line_for_each_search(self):
        lines = [*run.table([("doorbell", "queue", 1000, 2000, 3, 4.5, 6.0, "verified")])]
        self.assertEqual(len(lines), 2)
        self.assertIn("1,000", lines[1])
