"""Splits a pooled CSV file into one file per site, for the example studies and for tests of other splits.

    python3 split.py POOLED.csv OUT_DIR             one file per value of the column `site`
    python3 split.py POOLED.csv OUT_DIR --into 7    seven files S01.csv to S07.csv, rows dealt in turn

The column `site` is left out of the files: a hospital's own file does not carry it. Everything else, order of rows
included, stays as it is, so the same input always gives the same bytes. Where the pooled file has no column that
identifies a patient, `--number NAME` adds one in front: the number of the row in the pooled file. `--first-event NAME`
adds a last column that says why progression-free survival ended, as a registry would record it: `progression` where
there is a date of progression, `death` where there is none, `none` where it has not ended (`pfs_event` is 0). The
committed examples were made by

    python3 split.py relapsed-myeloma-596.csv ../../examples/relapsed-myeloma/sites --first-event first_event
    python3 split.py rotterdam.csv ../../examples/rotterdam/sites --also R02 R03 R04 R05 R06 R07 R09 R10 R11 R12 R13 R14
    python3 split.py lung.csv ../../examples/lung/sites --number patient
"""

import argparse
import csv
import pathlib


def first_event(patient):
    if patient["pfs_event"] != "1":
        return "none"
    return "progression" if patient["progression_date"] else "death"


def main():
    parser = argparse.ArgumentParser(description="Split a pooled CSV file into one file per site.")
    parser.add_argument("pooled", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--column", default="site", help="column that names the site (default: site)")
    parser.add_argument("--into", type=int, help="deal the rows over this many sites instead")
    parser.add_argument("--also", nargs="*", default=[], help="sites that get a file with a header and no rows")
    parser.add_argument("--number", metavar="NAME", help="add a column with the number of the row in the pooled file")
    parser.add_argument("--first-event", metavar="NAME", help="add a column: progression, death or none")
    args = parser.parse_args()

    with args.pooled.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    if args.number:
        header = [args.number, *header]
        rows = [[str(number), *row] for number, row in enumerate(rows, start=1)]
    if args.first_event:
        header, rows = [*header, args.first_event], [[*row, first_event(dict(zip(header, row)))] for row in rows]
    site = header.index(args.column)

    names = [f"S{number:02}" for number in range(1, args.into + 1)] if args.into else args.also
    sites = {name: [] for name in names}
    for index, row in enumerate(rows):
        name = f"S{index % args.into + 1:02}" if args.into else row[site]
        sites.setdefault(name, []).append(row)

    args.out.mkdir(parents=True, exist_ok=True)
    for name, own in sites.items():
        with (args.out / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            for row in [header, *own]:
                writer.writerow(row[:site] + row[site + 1 :])


if __name__ == "__main__":
    main()
