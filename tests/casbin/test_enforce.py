"""`policy enforce`: answers as the Casbin command line prints them, errors by file and line."""

import io
import json
import sys
from pathlib import Path

import pytest

from tests.casbin.examples import EXAMPLES
from tests.cli.commands import run

RBAC, RULES = EXAMPLES["rbac"], EXAMPLES["abac with a rule"]


@pytest.fixture
def files(tmp_path: Path) -> tuple:
    return written(tmp_path, RBAC)


def written(folder: Path, example) -> tuple:
    model, policy = folder / "model.conf", folder / "policy.csv"
    model.write_text(example.model)
    policy.write_text(example.policy)
    return "-m", model, "-p", policy


def test_a_request_allowed_is_answered_with_the_row_that_decided(files):
    said = run("policy", "enforce", *files, "alice", "data2", "read")
    assert (said.code, said.err) == (0, "")
    assert said.out == '{"allow":true,"explain":["data2_admin","data2","read"]}\n'


def test_a_request_not_allowed_leaves_with_1_and_no_row(files):
    said = run("policy", "enforce", *files, "bob", "data1", "read")
    assert (said.code, said.out, said.err) == (1, '{"allow":false,"explain":[]}\n', "")


def test_a_value_that_begins_with_a_brace_is_an_object(tmp_path):
    said = run("policy", "enforce", *written(tmp_path, RULES), '{"name": "x", "age": 19}', "/data1", "read")
    assert said.json == {"allow": True, "explain": ["r.sub.age > 18", "/data1", "read"]}
    said = run("policy", "enforce", *written(tmp_path, RULES), '{"name": ', "/data1", "read")
    assert (said.code, said.out) == (4, "")
    assert "begins as a JSON object and is none" in said.err


def test_each_request_of_a_file_is_answered_by_a_line(tmp_path):
    requests = tmp_path / "requests.jsonl"
    asked = RULES.allowed + RULES.denied
    requests.write_text("\n".join(json.dumps(request) for request in asked) + "\n\n")
    said = run("policy", "enforce", *written(tmp_path, RULES), "--requests", requests)
    assert (said.code, said.err) == (0, "")
    assert [line["allow"] for line in said.json_lines] == [True] * len(RULES.allowed) + [False] * len(RULES.denied)


def test_requests_are_read_from_standard_input(files, monkeypatch):
    sent = b'["alice", "data1", "read"]\n["bob", 1, {}]\n'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(sent)))
    said = run("policy", "enforce", *files, "--requests", "-")
    assert said.code == 0, said
    assert [line["allow"] for line in said.json_lines] == [True, False]


FAULTY = {
    "no array": ('{"sub": "alice"}', "a request is a JSON array"),
    "no JSON": ("alice, data1, read", "a request is a JSON array"),
    "too few values": ('["alice", "data1"]', "2 values where the model asks 3 (sub, obj, act)"),
    "an attribute missing": (
        '[{"name": "x"}, "/data1", "read"]',
        "policy.csv:1: cannot be evaluated: no attribute `age`",
    ),
    "a number compared with a text": (
        '[{"age": "19"}, "/data1", "read"]',
        "policy.csv:1: cannot be evaluated: '>' not",
    ),
}


@pytest.mark.parametrize("case", FAULTY)
def test_a_request_at_fault_is_named_by_its_line_after_the_answers_before_it(tmp_path, case):
    text, expected = FAULTY[case]
    requests = tmp_path / "requests.jsonl"
    requests.write_text(f'[{{"age": 19}}, "/data1", "read"]\n{text}\n[{{"age": 19}}, "/data1", "read"]\n')
    said = run("policy", "enforce", *written(tmp_path, RULES), "--requests", requests)
    assert said.code == 4
    assert said.json_lines == [{"allow": True, "explain": ["r.sub.age > 18", "/data1", "read"]}]
    assert said.err.startswith(f"dpi-sidecar: {requests}:2: ")
    assert expected in said.err


def test_a_model_or_policy_at_fault_is_named_by_file_and_line(files):
    _, model, _, policy = files
    policy.write_text("p, alice, data1\nq, alice, data1, read\n")
    said = run("policy", "enforce", *files, "alice", "data1", "read")
    assert (said.code, said.out) == (1, "")
    assert [line.split(": ")[0] for line in said.err.splitlines()] == [f"{policy}:1", f"{policy}:2"]
    model.write_text(RBAC.model.replace("some(where (p.eft == allow))", "priority(p.eft) || deny"))
    said = run("policy", "enforce", *files, "alice", "data1", "read")
    assert said.err.startswith(f"{model}:11: a priority effect makes the order of rows decide")


@pytest.mark.parametrize("values", [(), ("alice", "--requests", "-")])
def test_values_and_a_file_of_requests_are_one_or_the_other(files, values):
    said = run("policy", "enforce", *files, *values)
    assert said.code == 2
    assert "not both" in said.err


def test_a_file_that_is_not_text_is_named(files):
    files[3].write_bytes(b"p, \xff, data1, read\n")
    said = run("policy", "enforce", *files, "alice", "data1", "read")
    assert (said.code, said.err) == (4, f"dpi-sidecar: {files[3]}: is not UTF-8 from byte 3 on\n")
