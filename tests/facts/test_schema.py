"""The tables: the same from migrations and from code, the same words for SQLite and PostgreSQL."""

from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as Alembic
from alembic.runtime.migration import MigrationContext
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from sidecar.core.reading import GrantsQuery
from sidecar.errors import ConfigFault
from sidecar.facts import reads, writes
from sidecar.facts.tables import metadata
from tests.facts.naive import MINUTE, NOON, a_change, a_grant, a_room, a_stay, keep


def test_migrations_make_the_tables_the_code_knows(tmp_path: Path) -> None:
    a_room(tmp_path).close()
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'facts.db'}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        made = {row.name: row.sql for row in connection.exec_driver_sql("SELECT name, sql FROM sqlite_master")}
    for table in metadata.tables.values():
        for index in table.indexes:
            wanted = str(CreateIndex(index).compile(engine)).split()
            assert made[index.name].split() == wanted
    engine.dispose()


def test_tenant_and_controller_are_on_every_row_that_says_something(tmp_path: Path) -> None:
    for table in metadata.tables.values():
        assert "tenant" in table.columns
        assert table.name in ("sequence", "requirements") or "controller_id" in table.columns


def test_a_database_of_a_newer_version_is_refused_with_a_sentence(tmp_path: Path) -> None:
    a_room(tmp_path).close()
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'facts.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(ConfigFault, match="written by a newer version"):
        a_room(tmp_path)


def test_tables_and_statements_can_be_said_to_postgresql() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for table in metadata.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=dialect))
        assert all(str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes)
    statements = [
        value
        for module in (reads, writes)
        for value in vars(module).values()
        if isinstance(value, sa.Select | sa.CompoundSelect)
    ]
    assert len(statements) > 8
    assert all("SELECT" in str(statement.compile(dialect=dialect)) for statement in statements)


def test_a_patient_is_found_by_index_however_many_there_are(tmp_path: Path) -> None:
    room = a_room(tmp_path)
    keep(room, a_change(1, a_stay("s1", "P1")))
    asked: list[tuple[str, object]] = []
    with room._database.reading() as connection:

        def explained(_c: object, cursor: object, statement: str, values: object, _x: object, _m: bool) -> None:
            asked.append((statement, values))

        sa.event.listen(connection, "before_cursor_execute", explained)
        reads.patient(connection, "t1", "C1", "P1", 1)
        reads.names(connection, "t1", "C1", ["P1"], 1)
        sa.event.remove(connection, "before_cursor_execute", explained)
        for statement, values in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()  # type: ignore[arg-type]
            steps = [row[3] for row in plan if row[3].startswith(("SCAN", "SEARCH"))]
            assert steps and all("patient_id=?" in step or "rowid=?" in step or "fact_row=?" in step for step in steps)
    room.close()


def test_grants_of_an_earlier_version_keep_how_they_ended_and_are_listed(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'facts.db'}")
    settings = Alembic()
    settings.set_main_option("script_location", "sidecar.facts:migrations")
    grants = [a_grant("open"), a_grant("shut", closed_at=NOON + MINUTE)]
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0002")
        for seq, grant in enumerate(grants, 1):
            body = msgspec.json.encode(grant).decode()
            connection.exec_driver_sql(
                "INSERT INTO grants (tenant, id, recorded_seq, controller_id, subject_id, patient_id, ends, body)"
                " VALUES ('t1', ?, ?, 'C1', 'dr-nuit', 'P1', ?, ?)",
                (grant.id, seq, grant.until, body),
            )
        connection.exec_driver_sql("INSERT INTO sequence VALUES ('t1', 2, ?)", (NOON,))
    engine.dispose()
    room = a_room(tmp_path)
    assert (room.grant("t1", "open").ended, room.grant("t1", "shut").ended) == ("", "closed")
    listed = room.grants.page("t1", ("C1",), GrantsQuery(states=("open",)), NOON)
    assert [grant.id for grant in listed.grants] == ["open"]
    assert (listed.totals.open, listed.totals.pending, listed.totals.oldest_unreviewed) == (1, 1, NOON)
    room.close()
