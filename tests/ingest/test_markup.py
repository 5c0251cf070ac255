"""What is read quickly is read as the parser reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ingest.conftest import NOW
from tests.ingest.test_vendors import hikvision

from anlan.ingest.markup import parsed, plain, texts
from anlan.kernel.errors import BadInput

TAGS = [
    "<a>",
    "</a>",
    "<b>",
    "</b>",
    "<a/>",
    "<x:b>",
    '<a version="2.0" xmlns="urn:x">',
    '<a n="1" n="1">',
    "<>",
    "<",
    ">",
]
TEXTS = ["5", " 7 ", "\r\n", "外滩", "&amp;", "&a;", "]]>", "\x00", "\x85", "\ufffe", "\ufeff"]
REST = ["<!-- <b>1</b> -->", "<![CDATA[<b>]]>", '<?xml version="1.0"?>', '<!DOCTYPE a [<!ENTITY a "b">]>']
documents = st.recursive(
    st.sampled_from(["", "5", " 7 ", "\n", "外滩"]),
    lambda inner: st.builds(
        lambda name, told: f"<{name}>{''.join(told)}</{name}>\r\n", st.sampled_from("abc"), st.lists(inner, max_size=4)
    ),
    max_leaves=12,
)


def by_parser(payload):
    try:
        return parsed(payload)
    except BadInput:
        return "refused"


@given(
    st.lists(st.sampled_from(TAGS + TEXTS + REST), max_size=8).map("".join)
    | documents
    | documents.map("<r>{}</r>".format)
)
def test_a_plain_message_is_read_as_the_parser_reads_it(text):
    assert plain(text.encode()) in (None, by_parser(text.encode()))


@given(st.integers(0, 700), st.binary(max_size=3))
def test_a_spoilt_message_is_plain_only_where_the_parser_reads_the_same(place, bytes_):
    whole = hikvision(5, 7, NOW).partition(b"?>")[2]
    spoilt = whole[:place] + bytes_ + whole[place + len(bytes_) :]
    assert plain(spoilt) in (None, by_parser(spoilt))


def test_what_cameras_send_is_plain():
    whole = hikvision(5, 7, NOW).partition(b"?>")[2]
    assert plain(whole) == parsed(whole)
    assert plain(whole.replace(b"><", b">\r\n  <")) == parsed(whole)
    assert ("channelName", "外滩") in plain(whole.replace(b"Camera 01", "外滩".encode()))


@pytest.mark.parametrize(
    "spoilt", [b"<!DOCTYPE a><a></a>", b"<a><b>&c;</b></a>", b"<a></a><a></a>", b"<a><b></a></b>", b""]
)
def test_what_is_not_plain_is_judged_by_the_parser(spoilt):
    assert plain(spoilt) is None
    with pytest.raises(BadInput, match="XML"):
        texts(spoilt)
