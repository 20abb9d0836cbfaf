#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

#include "engine/sip/message.hpp"
#include "engine/sip/message_writer.hpp"
#include "engine/sip/request_check.hpp"
#include "engine/sip/stream_framer.hpp"
#include "engine/sip/uri.hpp"

namespace {

using namespace jackfield::sip;

constexpr std::string_view invite =
  "INVITE sip:bob@biloxi.example.com:5060 SIP/2.0\r\n"
  "Via: SIP/2.0/UDP 192.0.2.101:5060;branch=z9hG4bK-524287-1---74bf9ce1d5d3;rport\r\n"
  "Max-Forwards: 70\r\n"
  "From: \"Alice\" <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n"
  "To: <sip:bob@biloxi.example.com:5060>\r\n"
  "Call-ID: 3848276298220188511@atlanta.example.com\r\n"
  "CSeq: 1 INVITE\r\n"
  "Contact: <sip:alice@192.0.2.101:5060>\r\n"
  "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\n"
  "User-Agent: jackfield\r\n"
  "Content-Type: application/sdp\r\n"
  "Content-Length: 133\r\n"
  "\r\n"
  "v=0\r\n"
  "o=alice 2890844526 2890844526 IN IP4 192.0.2.101\r\n"
  "s=-\r\n"
  "c=IN IP4 192.0.2.101\r\n"
  "t=0 0\r\n"
  "m=audio 49172 RTP/AVP 0\r\n"
  "a=rtpmap:0 PCMU/8000\r\n";

constexpr std::string_view ok =
  "SIP/2.0 200 OK\r\n"
  "Via: SIP/2.0/UDP 192.0.2.101:5060;branch=z9hG4bK-524287-1---74bf9ce1d5d3\r\n"
  "From: <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n"
  "To: <sip:bob@biloxi.example.com:5060>;tag=8321234356\r\n"
  "Call-ID: 3848276298220188511@atlanta.example.com\r\n"
  "CSeq: 2 BYE\r\n"
  "Content-Length: 0\r\n"
  "\r\n";

void parse(benchmark::State& state, std::string_view text) {
  message m;
  for (auto _ : state) {
    if (m.parse(text) != parse_verdict::good)
      state.SkipWithError("not good");
    benchmark::DoNotOptimize(m);
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}
BENCHMARK_CAPTURE(parse, invite, invite);
BENCHMARK_CAPTURE(parse, bye_200, ok);

void check(benchmark::State& state) {
  message m;
  m.parse(invite);
  const capabilities able;
  for (auto _ : state)
    benchmark::DoNotOptimize(check_request(m, able));
}
BENCHMARK(check);

void print_200(benchmark::State& state) {
  message m;
  m.parse(invite);
  std::string out;
  for (auto _ : state) {
    out.clear();
    message_writer writer(out);
    writer.response_head(m, 200, {}, "8321234356", {"192.0.2.101", 5060});
    writer.end();
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(print_200);

void frame_stream(benchmark::State& state) {
  std::string stream;
  for (int i = 0; i < 20; ++i)
    stream += invite;
  stream_framer framer;
  for (auto _ : state) {
    framer.feed(stream);
    while (auto item = framer.next())
      benchmark::DoNotOptimize(item);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * 20);
}
BENCHMARK(frame_stream);

void parse_uri(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(uri::parse("sip:alice@client.atlanta.example.com:5060;transport=tcp"));
}
BENCHMARK(parse_uri);

} // namespace
