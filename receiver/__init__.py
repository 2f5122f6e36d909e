"""OTLP in: gRPC and HTTP, admission, decoding to columns. Never imports exporters or query_api."""
