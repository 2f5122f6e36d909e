// An agent in JavaScript: one assignment, a tool call and a model call. Usage: agent.mjs NAME json|protobuf URL
import { trace, SpanKind } from "@opentelemetry/api";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const [name, encoding, url] = process.argv.slice(2);
const Exporter = { json: JsonExporter, protobuf: ProtobufExporter }[encoding];

const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ "service.name": "javascript" }),
  spanProcessors: [new BatchSpanProcessor(new Exporter({ url }))],
});
provider.register();
const tracer = trace.getTracer("newsroom");

const agent = { "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name };
const tool = { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look_up" };
const chat = { "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o-mini" };

tracer.startActiveSpan(`invoke_agent ${name}`, { attributes: agent }, (task) => {
  tracer.startActiveSpan("execute_tool look_up", { attributes: tool }, (span) => span.end());
  tracer.startActiveSpan("chat gpt-4o-mini", { kind: SpanKind.CLIENT, attributes: chat }, (call) => {
    call.setAttributes({ "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100 });
    call.end();
  });
  console.log(task.spanContext().traceId);
  task.end();
});

await provider.shutdown();
