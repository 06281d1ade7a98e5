"""Trauma: PC-PTSD-5 and PCL-5."""

from typing import Final

from shared.instruments.sheet import CONFIRMED, TO_CONFIRM, Cluster, CutOff, Instrument, Item

LICENCE: Final = "National Center for PTSD, public domain"

_PC_PTSD_TOPICS: Final = (
    "nightmares or intrusions",
    "avoidance",
    "on guard",
    "numb or detached",
    "guilt or blame",
)

PCPTSD5: Final = Instrument(
    key="pcptsd5",
    title="PC-PTSD-5",
    items=(
        Item(key="exposure", topic="ever exposed to trauma", high=1, scored=False),
        *(
            Item(key=f"item{number}", topic=topic, high=1, asked_if=("exposure",))
            for number, topic in enumerate(_PC_PTSD_TOPICS, start=1)
        ),
    ),
    recall="past month",
    recall_days=30,
    source="cliot pc_ptsd_5_screen; clinical-toolkit PC-PTSD-5 table",
    licence=LICENCE,
    status=CONFIRMED,
    max_total=5,
    cut_offs=(
        CutOff(key="sensitive", at_least=3, source="cliot pc_ptsd_5_screen", status=CONFIRMED),
        CutOff(key="specific", at_least=4, source="a public scorer's comment", status=TO_CONFIRM),
    ),
    ages=(18, None),
    to_confirm=("which cut-off, 3 or 4", "age range", "LOINC codes (left out)"),
    answers_mean="1 yes, 0 no; after a no to exposure the rest is left out",
)

_PCL_TOPICS: Final = (
    "unwanted memories",
    "dreams",
    "reliving",
    "upset by reminders",
    "bodily reactions to reminders",
    "avoiding memories",
    "avoiding reminders",
    "gaps in memory",
    "negative beliefs",
    "blame",
    "negative feelings",
    "loss of interest",
    "distance from others",
    "no positive feelings",
    "irritable or aggressive",
    "taking risks",
    "on guard",
    "easily startled",
    "concentration",
    "sleep",
)


_PCL_ITEMS: Final = tuple(f"item{number}" for number in range(1, 21))

PCL5: Final = Instrument(
    key="pcl5",
    title="PCL-5",
    items=tuple(
        Item(key=f"item{number}", topic=topic, high=4) for number, topic in enumerate(_PCL_TOPICS, start=1)
    ),
    recall="past month",
    recall_days=30,
    source="clinical-toolkit PCL-5 table",
    licence=LICENCE,
    status=CONFIRMED,
    max_total=80,
    clusters=(
        Cluster(key="b", items=_PCL_ITEMS[:5], counts_from=2, needs=1),
        Cluster(key="c", items=_PCL_ITEMS[5:7], counts_from=2, needs=1),
        Cluster(key="d", items=_PCL_ITEMS[7:14], counts_from=2, needs=2),
        Cluster(key="e", items=_PCL_ITEMS[14:], counts_from=2, needs=2),
    ),
    cut_offs=(CutOff(key="positive", at_least=33, source="clinical-toolkit PCL-5 table", status=CONFIRMED),),
    ages=(18, None),
    to_confirm=("age range", "LOINC codes (left out)"),
)
"""There are no official severity bands, so there are none here."""
