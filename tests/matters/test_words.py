import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlan.kernel.errors import BadInput
from anlan.matters.words import holds, numbers_of, wanted

TEXTS = st.text(alphabet="豫园路灯 abcLAMP1２。，-", min_size=0, max_size=30)


@given(text=TEXTS, begin=st.integers(0, 29), length=st.integers(2, 8))
def test_no_part_of_a_text_that_begins_a_word_is_missed(text, begin, length):
    cut = text[begin : begin + length]
    if not cut:
        return
    starts = begin == 0 or not text[begin - 1].isalnum() or text[begin - 1] in "豫园路灯"
    if not starts or cut != cut.strip():
        return
    try:
        numbers = wanted(cut)
    except BadInput:
        return
    assert numbers <= numbers_of([text])
    assert holds(cut, [text])


@pytest.mark.parametrize("sought", ["路", "a", "  ", "。", "路 a", "x" * 201])
def test_what_would_find_everything_is_refused(sought):
    with pytest.raises(BadInput):
        wanted(sought)


@pytest.mark.parametrize(("sought", "found"), [("豫园", True), ("园路", True), ("园豫", False), ("LED 灯坏", True)])
def test_order_and_neighbourhood_count_in_chinese(sought, found):
    text = "豫园路ＬＥＤ灯坏了"
    assert holds(sought, [text]) is found
