"""What is written to the log: the fields of the list, and never the text of a library or of an exception."""

import logging

from sidecar import logs
from sidecar.config import LogSettings


def test_a_library_that_logs_an_exception_is_named_without_its_text(capsys):
    logs.configure(LogSettings())
    try:
        raise ValueError("patient P1 of dr-nuit")
    except ValueError:
        logging.getLogger("grpc._server").exception("Exception calling application: patient P1")
    said = capsys.readouterr().err
    assert "grpc._server" in said
    assert "ValueError" in said
    assert "P1" not in said


def test_a_field_that_is_not_in_the_list_is_dropped(capsys):
    log = logs.configure(LogSettings())
    log.warning("readiness", part="facts", patient_id="P1")
    said = capsys.readouterr().err
    assert '"part": "facts"' in said
    assert "P1" not in said
