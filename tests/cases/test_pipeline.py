from tests.cases.pipeline import BASE, patched, submit


def test_the_base_case_is_routine_and_calls_nobody() -> None:
    result = submit(BASE)
    assert (result.status, result.urgency, result.review) == (202, "routine", None)
    assert not result.calls("psychiatrist") and not result.calls("clinician")


def test_an_overdose_calls_the_psychiatrist_and_a_clinician() -> None:
    result = submit(patched({"red_flags": ["overdose"]}))
    assert (result.urgency, result.answer["express"]) == ("emergency", True)
    assert result.calls("psychiatrist") and result.calls("clinician")
