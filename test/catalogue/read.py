"""Reads assets of a lake as somebody else would, with pyarrow: read.py <root> <asset>... Prints what it found as JSON.

By the catalogue: the files that _catalog.json leads to. By glob: the hive directories, which is right while no run is on.
"""

import json
import pathlib
import sys

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq


def by_catalogue(root: pathlib.Path, asset: str) -> tuple[pa.Table, dict]:
    """A file of an older root may be gone on a lake in a directory: then the catalogue is read again."""
    for _ in range(20):
        catalogue = json.loads((root / "_catalog.json").read_text())
        try:
            document = json.loads((root / catalogue["assets"][asset]["catalog"]).read_text())
            tables = []
            for series in document["series"]:
                for file in series["files"]:
                    table = pq.ParquetFile(root / file["path"]).read()
                    if file.get("partly"):
                        table = table.filter(within(document, file, table))
                    assert table.num_rows == file["rows"], file
                    tables.append(table)
            return pa.concat_tables(tables), document
        except FileNotFoundError:
            continue
    raise SystemExit("the catalogue names files that are not there")


def within(document: dict, file: dict, table: pa.Table):
    """Rows of the partitions that live in a file."""
    time = document["partitionedBy"]["time"]["column"]
    text = pc.cast(table[time], pa.string())
    keep = pa.array([False] * table.num_rows)
    for times in file["times"]:
        first, _, last = times.partition("..")
        keep = pc.or_(keep, pc.and_(pc.greater_equal(text, first), pc.less_equal(text, last or first)))
    return keep


def by_glob(root: pathlib.Path, asset: str) -> pa.Table:
    partitioning = ds.HivePartitioning.discover(infer_dictionary=False)
    return ds.dataset(root / asset, format="parquet", partitioning=partitioning).to_table()


def summary(table: pa.Table) -> dict:
    """Enough of the rows to notice any that is missing, there twice, or read as something else."""
    result = {"rows": table.num_rows, "schema": {}, "sums": {}}
    for field in table.schema:
        column = table[field.name]
        result["schema"][field.name] = str(field.type)
        if pa.types.is_decimal(field.type) or pa.types.is_integer(field.type):
            result["sums"][field.name] = str(pc.sum(pc.cast(column, pa.decimal256(50, 10))).as_py())
        elif pa.types.is_floating(field.type):
            result["sums"][field.name] = pc.sum(column).as_py()
        elif pa.types.is_boolean(field.type):
            result["sums"][field.name] = pc.sum(column).as_py()
        elif pa.types.is_temporal(field.type):
            result["sums"][field.name] = [str(pc.min(column).as_py()), str(pc.max(column).as_py())]
        else:
            result["sums"][field.name] = sorted({str(value) for value in column.to_pylist()})
    return result


def main() -> None:
    root = pathlib.Path(sys.argv[1])
    found = {}
    for asset in sys.argv[2:]:
        table, document = by_catalogue(root, asset)
        found[asset] = {
            "catalogue": summary(table),
            "glob": summary(by_glob(root, asset)),
            "declared": {column["name"]: column["arrow"] for column in document["columns"]},
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
