"""Reads what goes over the wire with other people's programs. Standard input to JSON on standard output."""

import base64
import json
import sys


def prometheus():
    from prometheus_client.parser import text_string_to_metric_families

    return [
        {
            "name": family.name,
            "type": family.type,
            "help": family.documentation,
            "samples": [[sample.name, sample.labels, sample.value] for sample in family.samples],
        }
        for family in text_string_to_metric_families(sys.stdin.read())
    ]


def otlp(message):
    """Bodies of OTLP/JSON requests, one a line. Ids are hex there, and base64 in every other JSON of protobuf."""
    from google.protobuf.json_format import MessageToDict, ParseDict

    ids = {"traceId": 16, "spanId": 8, "parentSpanId": 8}

    def to_base64(value, size):
        raw = bytes.fromhex(value)
        assert len(raw) in (0, size), value
        return base64.b64encode(raw).decode()

    def convert(value, how):
        if isinstance(value, list):
            return [convert(one, how) for one in value]
        if isinstance(value, dict):
            return {k: how(v, ids[k]) if k in ids else convert(v, how) for k, v in value.items()}
        return value

    def read(line):
        # Unknown fields and wrong types are refused.
        request = ParseDict(convert(json.loads(line), to_base64), message())
        return convert(MessageToDict(request), lambda value, size: base64.b64decode(value).hex())

    return [read(line) for line in sys.stdin if line.strip()]


def traces():
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    return otlp(ExportTraceServiceRequest)


def metrics():
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    return otlp(ExportMetricsServiceRequest)


def openlineage():
    """Events, one a line, as the official client's classes, which are generated from the specification: what is wrong with each."""
    import enum
    import inspect
    import types
    import typing

    import attr
    import openlineage.client.generated.base as base
    from openlineage.client import facet_v2

    facets = {}
    for name in vars(facet_v2):
        module = getattr(facet_v2, name)
        if inspect.ismodule(module):
            for cls in vars(module).values():
                if inspect.isclass(cls) and issubclass(cls, base.BaseFacet):
                    facets[cls._get_schema()] = cls

    def read(cls, value, at):
        origin = typing.get_origin(cls)
        args = typing.get_args(cls)
        if origin in (typing.Union, types.UnionType):
            if value is None:
                return None
            return read(next(arg for arg in args if arg is not type(None)), value, at)
        if origin is list:
            assert isinstance(value, list), f"{at} is no list"
            return [read(args[0], one, f"{at}[{i}]") for i, one in enumerate(value)]
        if origin is dict:
            assert isinstance(value, dict), f"{at} is no object"
            return {key: read(args[1], one, f"{at}.{key}") for key, one in value.items()}
        if attr.has(cls):
            assert isinstance(value, dict), f"{at} is no object"
            given = dict(value)
            if issubclass(cls, base.BaseFacet):
                url = given.pop("_schemaURL")
                assert facets.get(url), f"{at}: {url} is no schema"
                cls = facets[url]
                base.set_producer(given.pop("_producer"))
            hints = typing.get_type_hints(cls)
            names = {field.alias: field.name for field in attr.fields(cls) if field.init}
            unknown = set(given) - set(names)
            assert not unknown, f"{at}: unknown {sorted(unknown)}"
            return cls(**{key: read(hints[names[key]], one, f"{at}.{key}") for key, one in given.items()})
        if inspect.isclass(cls) and issubclass(cls, enum.Enum):
            return cls(value)
        if cls in (str, int, bool, float):
            assert type(value) is cls, f"{at} is {value!r}, not a {cls.__name__}"
        return value

    def problem(line):
        event = json.loads(line)
        url = event.pop("schemaURL")
        expected = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
        if url != expected:
            return f"schemaURL is {url}"
        try:
            read(base.RunEvent, event, "event")
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return None

    return [problem(line) for line in sys.stdin if line.strip()]


if __name__ == "__main__":
    readers = {"prometheus": prometheus, "traces": traces, "metrics": metrics, "openlineage": openlineage}
    json.dump(readers[sys.argv[1]](), sys.stdout)
