"""Every Prometheus instrument: name, labels, unit. No identifier is ever a label (docs/metrics.md)."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # no use for a second series a counter

SECONDS = (25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 0.1, 0.5, 1.0)


class Metrics:
    """The instruments of one server, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.decisions = Counter(
            "sidecar_decisions",
            "Answers given, by effect, reason shown and where the decision came from.",
            ["effect", "reason", "origin"],
            registry=registry,
        )
        self.refused = Counter(
            "sidecar_refused_calls",
            "Calls that were no question: malformed, unknown caller, shed, unavailable.",
            ["reason"],
            registry=registry,
        )
        self.stage = Histogram(
            "sidecar_stage_seconds",
            "Time of one stage, per question: decide, record.",
            ["stage"],
            buckets=SECONDS,
            registry=registry,
        )
        self.facts_sequence = Gauge(
            "sidecar_facts_sequence", "Latest visible change of the facts.", ["tenant"], registry=registry
        )
        self.facts_age = Gauge(
            "sidecar_facts_complete_age_seconds",
            "Age of the oldest completeness watermark that this kind of fact needs; +Inf when a source never told.",
            ["controller", "kind"],
            registry=registry,
        )
        self.ledger_size = Gauge("sidecar_ledger_leaves", "Leaves in this sidecar's ledger.", registry=registry)
        self.ledger_failures = Counter(
            "sidecar_ledger_failures", "Records the ledger could not take, by cause.", ["cause"], registry=registry
        )
        self.ledger_signed = Gauge(
            "sidecar_ledger_signed_leaves", "Leaves under the checkpoint on disk.", registry=registry
        )
        self.ledger_checkpoint = Gauge(
            "sidecar_ledger_checkpoint_timestamp_seconds",
            "The time the checkpoint on disk was given; renewed when idle.",
            registry=registry,
        )
        self.ledger_free = Gauge(
            "sidecar_ledger_free_bytes", "Room left on the disk of the journal.", registry=registry
        )
        self.clock_moves = Counter(
            "sidecar_clock_moves", "Times the clock moved by more than a second.", ["direction"], registry=registry
        )
        self.policy = Info("sidecar_policy", "The policy in force: pack, revision, digest.", registry=registry)
        self.policy_loaded = Gauge(
            "sidecar_policy_loaded_timestamp_seconds", "When the policy in force was loaded.", registry=registry
        )
        self.policy_reloads = Counter(
            "sidecar_policy_reloads",
            "Candidate policies, by outcome: loaded at start, swapped, refused, unchanged, failed.",
            ["outcome"],
            registry=registry,
        )
        self.policy_refused = Gauge(
            "sidecar_policy_refused", "1 while the pack in the folder is at fault and not in force.", registry=registry
        )
        self.policy_build = Gauge(
            "sidecar_policy_build_seconds", "How long the candidate read last took to build.", registry=registry
        )
        self.emergencies_opened = Counter(
            "sidecar_break_glass_opened",
            "Emergency grants opened, by motive and group of units.",
            ["motive", "unit_group"],
            registry=registry,
        )
        self.emergencies_after_refusal = Counter(
            "sidecar_break_glass_after_refusal",
            "Of those, opened within two minutes of a refusal of the same access: perhaps a false one.",
            ["unit_group"],
            registry=registry,
        )
        self.emergencies_active = Gauge("sidecar_break_glass_active", "Emergency grants open now.", registry=registry)
        self.emergencies_unreviewed = Gauge(
            "sidecar_break_glass_unreviewed", "Grants that are over and wait for their review.", registry=registry
        )
        self.reviews_overdue = Gauge(
            "sidecar_break_glass_overdue", "Grants not reviewed by their deadline.", registry=registry
        )
        self.oldest_unreviewed = Gauge(
            "sidecar_break_glass_oldest_unreviewed_age_seconds",
            "Time since the oldest grant that waits for its review was opened; 0 when none waits.",
            registry=registry,
        )
        self.notices_pending = Gauge(
            "sidecar_notices_pending", "Notices that nobody has acknowledged yet.", registry=registry
        )
        self.notices_overdue = Gauge("sidecar_notices_overdue", "Of those, the ones that are late.", registry=registry)
        self.notices_sent = Counter(
            "sidecar_notices_sent",
            "Deliveries of notices tried, by address and outcome: taken, failed.",
            ["address", "outcome"],
            registry=registry,
        )
        self.ready = Gauge("sidecar_ready", "1 when the part is ready, else 0.", ["part"], registry=registry)
        self.build = Info("sidecar_build", "Version of the product.", registry=registry)
