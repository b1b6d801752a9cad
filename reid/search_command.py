"""``python -m reid search``: who in a folder of pictures, or on a running site, looks like this?"""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path

from reid.datasets.crops import read_picture
from reid.embedders import add_model_arguments, open_chosen
from reid.found import Found, lines_of, write_page
from reid.gallery import open_gallery
from reid.progress import PictureBar
from reid.site import Site
from reid.terminal import positive, tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser.add_argument(
        "--query",
        type=Path,
        nargs="+",
        required=True,
        metavar="PICTURE",
        help="one person or vehicle, cut out; several pictures of the same one find it better",
    )
    parser.add_argument(
        "--gallery",
        required=True,
        metavar="DIR|URL",
        help="a folder of cut-out pictures, also one folder for each identity; or a running site, http://…",
    )
    parser.add_argument("--top", type=positive, default=20, help="how many answers (20)")
    parser.add_argument("--min_score", type=float, default=-1.0, help="lowest cosine similarity of an answer, -1 to 1")
    parser.add_argument("--rerank", action="store_true", help="put the best in order once more by their neighbours")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with the pictures")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_model_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Search, show the answers and return the exit status: 1 where there are none."""
    is_site = options.gallery.startswith(("http://", "https://"))
    found = _search_site(options) if is_site else _search_folder(options)
    if options.json:
        print(json.dumps([one.as_json() for one in found], indent=2, ensure_ascii=False))  # noqa: T201
    else:
        print("\n".join(lines_of(found)) or "Nothing was found.")  # noqa: T201
    if options.html:
        write_page(options.html, [read_picture(path) for path in options.query], found)
        tell(f"Wrote {options.html}")
    return 0 if found else 1


def _search_folder(options: argparse.Namespace) -> list[Found]:
    folder = Path(options.gallery)
    embedder = open_chosen(options)
    queries = embedder.embed([read_picture(path) for path in options.query])
    with PictureBar() as bar:
        gallery = open_gallery(folder, embedder, on_progress=bar.show)
    for path in gallery.unreadable:
        tell(f"Left out, no picture: {path}")
    search = gallery.search_reranked if options.rerank else gallery.search
    answers = search(queries, top=options.top, min_score=options.min_score)
    return [
        Found(
            rank=rank,
            score=answer.score,
            identity=answer.picture.identity,
            place=str(answer.picture.path.relative_to(folder)),
            address=str(answer.picture.path.absolute()),
            word="",
            load=partial(read_picture, answer.picture.path),
        )
        for rank, answer in enumerate(answers, start=1)
    ]


def _search_site(options: argparse.Namespace) -> list[Found]:
    site = Site(options.gallery)
    return site.search(options.query, top=options.top, min_score=options.min_score, rerank=options.rerank)
