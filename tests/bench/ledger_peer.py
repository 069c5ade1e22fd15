"""A Cerbos PDP with its decision log on, whose policy answers the recorded mix as the hospital pack does.

It is told in attributes what the sidecar works out from facts (who treats whom, what is masked), and knows of the
hospital's rules only what the mix needs: the matrix, the care team, the purposes, two factors and the masks.
"""

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, struct_pb2
from google.protobuf.message import Message
from grpc_tools import protoc

from sidecar.core.model import Request
from tests.bench import mix
from tests.bench.engine_pack import HOSPITAL

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "cerbos"
INSTALLED = ROOT / "build/cerbos/node_modules/@cerbos"
CHECK = "/cerbos.svc.v1.CerbosService/CheckResources"
PATIENCE = 20.0  # seconds to start in

ADMISSION = {"agent_admission"}  # who needs no care relation
MATRIX_WORDS = {"True": "true", "!r.resource.sensitive": "!R.attr.sensitive"}


class Cerbos:
    """A PDP process that answers gRPC on a Unix socket and keeps its decision log in a file of its folder."""

    def __init__(self, folder: Path) -> None:
        """Raises RuntimeError when it is not installed or does not start."""
        binary = next(INSTALLED.glob("cerbos-*/cerbos-*"), None)
        if binary is None:
            raise RuntimeError("Cerbos is not installed: `make bench ONLY=ledger` installs it with npm")
        self.folder, self.address = folder, f"unix:{folder}/c.sock"
        self.log = folder / "decisions.log"
        (folder / "policies").mkdir(parents=True)
        for name, policy in policies().items():
            (folder / "policies" / f"{name}.json").write_text(json.dumps(policy))
        (folder / "config.json").write_text(json.dumps(self._settings()))
        self.said = tempfile.TemporaryFile("w+")  # noqa: SIM115 (it lives as long as the process)
        command = [str(binary), "server", f"--config={folder}/config.json", "--log-level=error"]
        self.process = subprocess.Popen(command, stdout=self.said, stderr=self.said)
        self._await()

    def _settings(self) -> Mapping[str, object]:
        return {
            "server": {"httpListenAddr": f"unix:{self.folder}/h.sock", "grpcListenAddr": self.address},
            "storage": {
                "driver": "disk",
                "disk": {"directory": f"{self.folder}/policies", "watchForChanges": False},
            },
            "audit": {
                "enabled": True,
                "accessLogsEnabled": False,
                "decisionLogsEnabled": True,
                "backend": "file",
                "file": {"path": str(self.log)},
            },
            "telemetry": {"disabled": True},
        }

    def _await(self) -> None:
        with grpc.insecure_channel(self.address) as channel:
            try:
                grpc.channel_ready_future(channel).result(PATIENCE)
            except grpc.FutureTimeoutError:
                self.said.seek(0)
                raise RuntimeError(f"Cerbos did not start: {self.said.read()[-2000:]}") from None

    def recorded(self, at_least: int) -> int:
        """Decisions in its log, once there are `at_least` or no more come; the log is written in the background."""
        before, found = -1, 0
        while found < at_least and found != before:
            before, found = found, _lines(self.log)
            time.sleep(0.5)
        return found

    def stop(self) -> None:
        """Stop it and wait."""
        self.process.terminate()
        self.process.wait(30)
        self.said.close()


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


# ---- the policy


def policies() -> dict[str, Mapping[str, object]]:
    """One resource policy for each category, from the hospital's own matrix and groups."""
    members = groups((HOSPITAL / "roles.csv").read_text())
    care = sorted(members["g4"]["prise_en_charge"].intersection(_plain("purposes")))
    made: dict[str, Mapping[str, object]] = {}
    for category in _plain("categories"):
        refused = ["!P.attr.active", "P.attr.device_compromised", "!P.attr.mfa"]
        if category in members["g2"]["masquable"]:
            refused.append("R.attr.masked")
        rules: list[Mapping[str, object]] = [
            {"actions": ["*"], "effect": "EFFECT_DENY", "roles": ["*"], "condition": _match(" || ".join(refused))}
        ]
        for profile, of, action, when in _cells():
            if category not in members["g2"].get(of, {of}) or when not in MATRIX_WORDS:
                continue
            ground = "P.attr.in_care_team && R.attr.purpose in " + json.dumps(care)
            needed = [MATRIX_WORDS[when], 'R.attr.purpose == "admin_sejour"' if profile in ADMISSION else ground]
            rules.append(
                {
                    "actions": sorted(
                        name for name in members["g3"].get(action, {action}) if name in _plain("actions")
                    ),
                    "effect": "EFFECT_ALLOW",
                    "roles": [profile],
                    "condition": _match(" && ".join(needed)),
                }
            )
        made[category] = {
            "apiVersion": "api.cerbos.dev/v1",
            "resourcePolicy": {"resource": category, "version": "default", "rules": rules},
        }
    return made


def _match(expression: str) -> Mapping[str, object]:
    return {"match": {"expr": expression}}


def _cells() -> list[tuple[str, str, str, str]]:
    """Profile, category, action and condition of each row of the matrix, without what else may open a sensitive tag."""
    rows = [line.split(", ") for line in _lines_of((HOSPITAL / "rules/matrix.csv").read_text())]
    return [(row[2], row[3], row[4], row[5].split(" || ")[0]) for row in rows]


def groups(roles: str) -> dict[str, dict[str, set[str]]]:
    """The members of each group of a roles.csv, by section, through any number of links."""
    links = [tuple(line.split(", ")) for line in _lines_of(roles)]
    found: dict[str, dict[str, set[str]]] = {}
    for section, _, group in links:
        found.setdefault(section, {}).setdefault(group, {group})
    grown = True
    while grown:
        grown = False
        for section, member, group in links:
            more = found[section].get(member, {member}) - found[section][group]
            found[section][group] |= more
            grown = grown or bool(more)
    return found


def _plain(key: str) -> list[str]:
    """A list of names of pack.toml."""
    found = re.search(rf"^{key} = \[(.*?)^\]", (HOSPITAL / "pack.toml").read_text(), re.DOTALL | re.MULTILINE)
    assert found
    return re.findall(r'"(\w+)"', found[1])


def _lines_of(text: str) -> list[str]:
    return [line for line in text.split("\n") if line and not line.startswith("#")]


# ---- the wire


def _messages() -> tuple[type[Message], type[Message]]:
    """The request and the answer, from the part of Cerbos's API beside this file."""
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(struct_pb2.DESCRIPTOR.serialized_pb)
    with tempfile.NamedTemporaryFile() as kept:
        wrong = protoc.main(["", f"-I{HERE}", f"-I{protoc_include()}", f"-o{kept.name}", "check.proto"])
        assert not wrong, "check.proto does not compile"
        files = descriptor_pb2.FileDescriptorSet.FromString(kept.read())
    for file in files.file:
        pool.Add(file)
    names = ("cerbos.svc.v1.CheckResourcesRequest", "cerbos.svc.v1.CheckResourcesResponse")
    asked, answered = (message_factory.GetMessageClass(pool.FindMessageTypeByName(name)) for name in names)
    return asked, answered


def protoc_include() -> Path:
    """Where protoc's own messages are."""
    return Path(protoc.__file__).parent / "_proto"


REQUEST, ANSWER = _messages()


def encoded(request: Request) -> bytes:
    """A question of the mix as Cerbos is asked it: the facts stated in attributes."""
    subject, resource = request.subject, request.resource
    about = int(resource.patient_id.removeprefix("P"))
    mine = subject.units == (mix.unit_of(about % mix.UNITS),)
    masked = resource.id == "masque" and about % 10 == 0
    asked = REQUEST(request_id=resource.id)
    asked.principal.id = subject.id
    asked.principal.roles.append(subject.profile)
    _tell(
        asked.principal.attr,
        {
            "active": subject.status == "actif",
            "mfa": request.authentication.mfa,
            "device_compromised": request.device.compromised,
            "in_care_team": mine,
            "units": list(subject.units),
            "kind": subject.kind,
        },
    )
    entry = asked.resources.add(actions=[request.action])
    entry.resource.kind, entry.resource.id = resource.category, resource.id
    _tell(
        entry.resource.attr,
        {
            "patient": resource.patient_id,
            "purpose": request.purpose,
            "sensitive": bool(resource.tags),
            "masked": masked,
            "lifecycle": resource.lifecycle,
        },
    )
    return asked.SerializeToString()


def _tell(attributes: Mapping[str, struct_pb2.Value], said: Mapping[str, object]) -> None:
    for name, value in said.items():
        kept = attributes[name]
        if isinstance(value, bool):
            kept.bool_value = value
        elif isinstance(value, str):
            kept.string_value = value
        else:
            kept.list_value.extend(value)


def permits(answer: bytes | None) -> bool:
    """Whether an answer allows what was asked."""
    assert answer, "Cerbos gave no answer"
    [result] = ANSWER.FromString(answer).results
    [effect] = result.actions.values()
    return effect == 1


def judge(answers: Sequence[bytes | None], asked: Sequence[mix.Expected]) -> None:
    """Every answer has the effect it must have; raises AssertionError."""
    wrong = [n for n, (answer, (effect, _)) in enumerate(zip(answers, asked, strict=True))
             if permits(answer) != (effect == "PERMIT")]  # fmt: skip
    assert not wrong, f"{len(wrong)} of {len(asked)} of Cerbos's answers are wrong, the first: {asked[wrong[0]]}"
