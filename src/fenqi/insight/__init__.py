"""The room of insight: what happened at the cashier and to the money that was at stake there, counted."""

from fenqi.insight.experiment import Difference, Share, arm_of, compare, share_of
from fenqi.insight.model import Arm, AtStake, Checkout, Experiment, Judged, Look, Outcome, Step, Way
from fenqi.insight.store import (
    at_stake,
    claim_mark,
    experiments,
    insert_experiment,
    insert_step,
    mark,
    move_mark,
    open_checkouts,
    replace_at_stake,
    steps_of,
)
from fenqi.insight.tally import CUTS, Cut, Line, cut, names_of
from fenqi.insight.weigh import nearest, steps_to, way_of, weigh

__all__ = [
    "CUTS", "Arm", "AtStake", "Checkout", "Cut", "Difference", "Experiment", "Judged", "Line", "Look", "Outcome",
    "Share", "Step", "Way", "arm_of", "at_stake", "claim_mark", "compare", "cut", "experiments", "insert_experiment",
    "insert_step", "mark", "move_mark", "names_of", "nearest", "open_checkouts", "replace_at_stake", "share_of",
    "steps_of", "steps_to", "way_of", "weigh",
]  # fmt: skip
