"""OpenAPI 3.1 from what views declare: rights, input, body, output, answers, filters, surface. Nothing twice.

`operations` describes a call, `envelopes` its answers, `errors` what can go wrong, `security` who may call, `examples`
makes examples of schemas, `document` finishes the whole. `make schema` writes docs/openapi.yaml.
"""

from ajansops.api.schema.operations import SurfaceSchema

__all__ = ["SurfaceSchema"]
