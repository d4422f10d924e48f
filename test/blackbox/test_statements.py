# SPDX-License-Identifier: MIT
import subprocess

import pytest

from harness import ROOT


def test_signatures_and_plans(cluster):
    name = cluster.create()
    try:
        run = subprocess.run([ROOT / "test" / "statements.py", cluster.url(name)], capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr
    finally:
        cluster.drop(name)


@pytest.mark.parametrize("text, wrong", [
    ("-- parameters: a text\nSELECT :b", ":b is no parameter"),
    ("-- parameters: a text, b text\nSELECT :a", "it does not use b"),
    ("-- parameters: a varchar\nSELECT :a", "is no name and type"),
    ("-- row: a text, a uuid\nSELECT 1", "a name is there twice"),
    ("-- row: a text\n-- rows: a text\nSELECT 1", "either row or rows"),
    ("-- row: a text\n-- What it does.\nSELECT 1", "the signature ends the head"),
    ("-- parameters: a text\n-- conflict: users_email\nSELECT :a", "a conflict is told in the row"),
    ("SELECT 1;", "ends without"),
    ("SELECT 1 -- one", "comments stand at the head"),
])
def test_a_wrong_signature_is_refused(tmp_path, text, wrong):
    path = tmp_path / "toy.sql"
    path.write_text(text + "\n")
    run = subprocess.run([ROOT / "src" / "statements.py", tmp_path / "toy.c", tmp_path / "toy.h", path],
                         capture_output=True, text=True)
    assert run.returncode == 1 and "toy.sql: " in run.stderr and wrong in run.stderr, run


def test_names_become_numbers_and_casts_stay(tmp_path):
    path = tmp_path / "toy.sql"
    path.write_text("-- What it does.\n--\n-- parameters: b text,\n--     a uuid\n-- row: c text\n"
                    "SELECT :a::text AS c WHERE :b IS NOT NULL AND 'x:b' <> :b\n")
    subprocess.run([ROOT / "src" / "statements.py", tmp_path / "toy.c", tmp_path / "toy.h", path], check=True)
    assert "SELECT $2::text AS c WHERE $1 IS NOT NULL" in (tmp_path / "toy.c").read_text()
    header = (tmp_path / "toy.h").read_text()
    assert "What it does." in header and "struct uuid a;" in header and "store_toy(" in header
