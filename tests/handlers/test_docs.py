"""The documents and the try-it page as they are served: kept by ETag, and loading nothing from anywhere else."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from config.loading import load_settings
from handlers.docs_page import WEB
from handlers.error_table import error_rows
from server.demo import PASSWORD, TRADERS
from tests.handlers.small_kerb import SmallKerb, open_small_kerb

DOCUMENTS = (
    "/openapi.json", "/asyncapi.json", "/kerb.proto", "/api/v1/errors", "/docs", "/docs/docs.js", "/docs/docs.css", "/docs/icon.svg", "/docs/demo.json",
)  # fmt: skip


async def test_documents_are_public_and_kept_by_their_etag(small: SmallKerb) -> None:
    anybody = small.anonymous()
    for path in DOCUMENTS:
        whole = await anybody("GET", path, root=True)
        assert (whole.status, whole.headers["Cache-Control"]) == (200, "no-cache"), path
        etag = whole.headers["ETag"]
        for asked in (etag, f'"other", {etag}', f"W/{etag}", "*"):
            known = await anybody("GET", path, headers={"If-None-Match": asked}, root=True)
            assert (known.status, known.body, known.headers["ETag"]) == (304, b"", etag), path
        assert (
            await anybody("GET", path, headers={"If-None-Match": '"other"'}, root=True)
        ).body == whole.body
        head = await anybody("HEAD", path, root=True)
        assert (head.status, head.body, head.headers["ETag"]) == (200, b"", etag)
        assert int(head.headers["Content-Length"]) == len(whole.body)


async def test_the_policy_of_our_pages_allows_only_what_comes_from_here(small: SmallKerb) -> None:
    anybody = small.anonymous()
    page = await anybody("GET", "/docs", root=True)
    policy = page.headers["Content-Security-Policy"].split("; ")
    assert policy[0] == "default-src 'none'"
    for rule in policy:
        assert rule.split()[1:] in (["'self'"], ["'none'"]), rule
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    quote = await anybody("GET", "/stocks/AAPL/quote")
    assert quote.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert quote.headers["Cache-Control"] == "no-store"


def test_the_page_names_no_other_host_and_has_no_script_or_style_of_its_own_inside() -> None:
    for path in sorted(WEB.iterdir()):
        text = path.read_text()
        assert "://" not in text.replace("http://www.w3.org/2000/svg", ""), path
        assert "innerHTML" not in text, path
    page = (WEB / "docs.html").read_text()
    assert re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", page) == []


async def test_the_table_of_errors_is_served(small: SmallKerb) -> None:
    served = (await small.anonymous()("GET", "/errors")).data
    assert served == msgspec.to_builtins(list(error_rows()))


@pytest.mark.parametrize("mode", ["test", "demo"])
async def test_the_published_login_is_told_in_a_demo_only(
    database_dsn: str, tmp_path: Path, mode: str
) -> None:
    settings = load_settings(mode, None, {}, {"data_dir": tmp_path / "kerb"}).settings
    async with open_small_kerb(database_dsn, tmp_path, settings) as small:
        told = (await small.anonymous()("GET", "/docs/demo.json", root=True)).json
    if mode == "demo":
        assert told == {"demo": True, "email": TRADERS[0].email, "password": PASSWORD}
    else:
        assert told == {"demo": False, "email": None, "password": None}
