// WebSocket: the handshake and the frames by themselves, then flows over the simulated network.

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engine/crypto/certificate.hpp"
#include "engine/transport/ws_filter.hpp"
#include "engine/transport/ws_handshake.hpp"
#include "tests/transport/peers.hpp"

namespace jackfield::transport {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

// -- frames --------------------------------------------------------------------------

constexpr unsigned char text_frame = 0x1;
constexpr unsigned char binary_frame = 0x2;
constexpr unsigned char close_frame = 0x8;
constexpr unsigned char ping_frame = 0x9;
constexpr unsigned char pong_frame = 0xa;

/// A client's frame, masked unless told otherwise.
std::string frame(unsigned opcode, std::string_view payload, bool fin = true, unsigned rsv = 0,
                  bool masked = true) {
  std::string out;
  out += static_cast<char>((fin ? 0x80U : 0U) | (rsv << 4U) | opcode);
  const unsigned mask_bit = masked ? 0x80U : 0U;
  if (payload.size() < 126) {
    out += static_cast<char>(mask_bit | payload.size());
  } else if (payload.size() < 65536) {
    out += static_cast<char>(mask_bit | 126U);
    for (const unsigned shift : {8U, 0U})
      out += static_cast<char>(payload.size() >> shift);
  } else {
    out += static_cast<char>(mask_bit | 127U);
    for (int shift = 56; shift >= 0; shift -= 8)
      out += static_cast<char>(uint64_t{payload.size()} >> static_cast<unsigned>(shift));
  }
  constexpr std::string_view mask = "\x12\x34\x56\x78";
  if (masked)
    out += mask;
  for (size_t i = 0; i < payload.size(); ++i)
    out += static_cast<char>(masked ? payload[i] ^ mask[i % 4] : payload[i]);
  return out;
}

std::string close_payload(unsigned code, std::string_view reason = "") {
  return std::string{static_cast<char>(code >> 8U), static_cast<char>(code)} + std::string{reason};
}

/// A server's filter that echoes messages, as the conformance cases want it.
struct echo_server final : ws_filter::sink {
  virtual ~echo_server() = default;
  void on_frames(std::string_view bytes) override { sent += bytes; }
  bool on_message(std::string_view bytes) override {
    messages.emplace_back(bytes);
    filter.write(bytes, *this);
    return true;
  }
  void on_pong() override { ++pongs; }
  /// Feeds all at once, or byte by byte; returns whether all was well.
  bool feed(std::string_view bytes, size_t step = std::string_view::npos) {
    while (!bytes.empty()) {
      const auto part = bytes.substr(0, step);
      if (auto fed = filter.feed(part, *this); !fed) {
        cause = fed.error().cause;
        return false;
      }
      bytes.remove_prefix(part.size());
    }
    return true;
  }
  ws_filter filter{ws_filter::role::server, [](std::span<std::byte>) {}};
  std::string sent;
  std::vector<std::string> messages;
  std::string cause;
  int pongs = 0;
};

std::string server_frame(unsigned opcode, std::string_view payload) {
  return frame(opcode, payload, true, 0, false);
}

TEST(ws_frames, messages_of_all_lengths_are_echoed_whole_or_in_chops) {
  for (const size_t size : {0U, 1U, 125U, 126U, 127U, 128U, 65535U, 65536U})
    for (const unsigned opcode : {text_frame, binary_frame})
      for (const size_t step : {std::string_view::npos, size_t{997}, size_t{1}}) {
        echo_server s;
        const std::string payload(size, '*');
        ASSERT_TRUE(s.feed(frame(opcode, payload), step)) << size;
        EXPECT_THAT(s.messages, ElementsAre(payload));
        EXPECT_EQ(s.sent, server_frame(text_frame, payload));
        ASSERT_TRUE(s.feed(frame(close_frame, close_payload(1000)), step));
        EXPECT_TRUE(s.filter.closed());
        EXPECT_EQ(s.filter.close_code(), 1000);
        EXPECT_THAT(s.sent, testing::EndsWith(server_frame(close_frame, close_payload(1000))));
      }
}

TEST(ws_frames, what_is_not_utf8_goes_out_as_binary) {
  echo_server s;
  ASSERT_TRUE(s.feed(frame(binary_frame, "\xff")));
  EXPECT_EQ(s.sent, server_frame(binary_frame, "\xff"));
}

TEST(ws_frames, pings_are_answered_and_pongs_heard) {
  for (const size_t step : {std::string_view::npos, size_t{1}}) {
    echo_server s;
    const std::string payload = std::string(124, '\xfe') + '\0';
    std::string in = frame(pong_frame, "unasked");
    std::string out;
    for (int i = 0; i < 10; ++i) {
      in += frame(ping_frame, payload);
      out += server_frame(pong_frame, payload);
    }
    ASSERT_TRUE(s.feed(in + frame(ping_frame, ""), step));
    EXPECT_EQ(s.sent, out + server_frame(pong_frame, ""));
    EXPECT_EQ(s.pongs, 1);
    EXPECT_THAT(s.messages, IsEmpty());
  }
}

TEST(ws_frames, fragments_are_put_together_around_control_frames) {
  for (const size_t step : {std::string_view::npos, size_t{1}}) {
    echo_server s;
    ASSERT_TRUE(s.feed(frame(text_frame, "\xce", false) + frame(ping_frame, "p") +
                         frame(0, "", false) + frame(0, "\xba", true),
                       step));
    EXPECT_THAT(s.messages, ElementsAre("\xce\xba"));
    EXPECT_FALSE(s.filter.mid_message());
    ASSERT_TRUE(s.feed(frame(text_frame, "a", false), step));
    EXPECT_TRUE(s.filter.mid_message());
  }
}

/// Everything after which the connection must be failed with this code.
struct violation {
  const char* what;
  std::string bytes;
  unsigned code;
};

std::vector<violation> violations() {
  const std::string good = frame(text_frame, "ok");
  std::vector<violation> all{
    {"unmasked frame", frame(text_frame, "x", true, 0, false), 1002},
    {"unmasked empty frame", frame(text_frame, "", true, 0, false), 1002},
    {"unmasked ping", frame(ping_frame, "x", true, 0, false), 1002},
    {"continuation of nothing", frame(0, "x", true), 1002},
    {"open continuation of nothing", frame(0, "x", false), 1002},
    {"continuation after the end",
     frame(text_frame, "a", false) + frame(0, "b", true) + frame(0, "c", true), 1002},
    {"text inside a message", frame(text_frame, "a", false) + frame(text_frame, "b", true), 1002},
    {"binary inside a message", frame(text_frame, "a", false) + frame(binary_frame, "b"), 1002},
    {"fragmented ping", frame(ping_frame, "x", false), 1002},
    {"fragmented pong", frame(pong_frame, "x", false), 1002},
    {"ping of 126", frame(ping_frame, std::string(126, 'x')), 1002},
    {"close of 126", frame(close_frame, std::string(126, 'x')), 1002},
    {"close with one byte", frame(close_frame, "\x03"), 1002},
    {"close with a bad reason", frame(close_frame, close_payload(1000, "\xce\xba\xe1\xbd\xed")),
     1007},
    {"length 2^63", std::string{"\x82\xff\x80\0\0\0\0\0\0\0", 10}, 1002},
    {"length 2^64-1", std::string{"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10}, 1002},
    {"length 2^63-1 and mask and a byte",
     std::string{"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff"
                 "abcdx",
                 15},
     1009},
    {"length 65537", frame(binary_frame, std::string(65537, 'x')), 1009},
    {"length in more bytes than needed",
     std::string{"\x82\xfe\0\x05"
                 "abcd12345",
                 13},
     1002},
    {"length in many more bytes than needed",
     std::string{"\x82\xff\0\0\0\0\0\0\0\x05"
                 "abcd12345",
                 19},
     1002},
    {"fragments longer than a message",
     frame(binary_frame, std::string(65536, 'x'), false) + frame(0, "y", true), 1009},
    {"invalid UTF-8 early", frame(text_frame, "\xce\xba\xe1\xbd\xb9\xed\xa0\x80", false), 1007},
    {"invalid UTF-8 across fragments",
     frame(text_frame, "\xf4", false) + frame(0, "\x90\x80\x80", true), 1007},
    {"unfinished UTF-8", frame(text_frame, "\xce"), 1007},
  };
  for (unsigned rsv = 1; rsv < 8; ++rsv)
    all.push_back({"reserved bit", good + frame(text_frame, "x", true, rsv), 1002});
  for (unsigned opcode : {3U, 4U, 5U, 6U, 7U, 11U, 12U, 13U, 14U, 15U})
    all.push_back({"reserved opcode", good + frame(opcode, "x"), 1002});
  for (unsigned code :
       {0U, 999U, 1004U, 1005U, 1006U, 1012U, 1015U, 1016U, 1100U, 2000U, 2999U, 5000U, 65535U})
    all.push_back(
      {"close code that may not be sent", frame(close_frame, close_payload(code)), 1002});
  return all;
}

TEST(sec_12, frames_against_the_protocol_fail_the_connection) {
  for (const violation& v : violations())
    for (const size_t step : {std::string_view::npos, size_t{1}}) {
      echo_server s;
      EXPECT_FALSE(s.feed(v.bytes + frame(ping_frame, "never answered"), step)) << v.what;
      EXPECT_TRUE(s.filter.closed()) << v.what;
      EXPECT_THAT(s.sent, testing::EndsWith(server_frame(close_frame, close_payload(v.code))))
        << v.what;
      EXPECT_THAT(s.messages, testing::Each(testing::AnyOf("ok", "ab"))) << v.what;
      const std::string before = s.sent;
      EXPECT_TRUE(s.feed(frame(text_frame, "late")));
      s.filter.write("late", s);
      EXPECT_EQ(s.sent, before) << v.what;
    }
}

TEST(sec_12, a_client_refuses_masked_frames_and_masks_its_own) {
  struct client_sink final : ws_filter::sink {
    virtual ~client_sink() = default;
    void on_frames(std::string_view bytes) override { sent += bytes; }
    bool on_message(std::string_view bytes) override {
      got += bytes;
      return true;
    }
    void on_pong() override {}
    std::string sent;
    std::string got;
  } sink;
  ws_filter filter{ws_filter::role::client, [](std::span<std::byte> out) {
                     constexpr std::string_view mask = "\x12\x34\x56\x78";
                     for (size_t i = 0; i < out.size(); ++i)
                       out[i] = static_cast<std::byte>(mask[i % 4]);
                   }};
  filter.write("hello", sink);
  EXPECT_EQ(sink.sent, frame(text_frame, "hello"));
  ASSERT_TRUE(filter.feed(server_frame(text_frame, "yes"), sink));
  EXPECT_EQ(sink.got, "yes");
  sink.sent.clear();
  EXPECT_FALSE(filter.feed(frame(text_frame, "no"), sink));
  EXPECT_EQ(sink.got, "yes");
  EXPECT_EQ(sink.sent, frame(close_frame, close_payload(1002)));
}

TEST(sec_12, endless_fragments_are_cut_off) {
  echo_server s;
  ASSERT_TRUE(s.feed(frame(binary_frame, "x", false)));
  bool open = true;
  size_t count = 0;
  for (; open && count < 10'000; ++count)
    open = s.feed(frame(0, "", false));
  EXPECT_LE(count, ws_filter::max_fragments);
  EXPECT_THAT(s.sent, testing::EndsWith(server_frame(close_frame, close_payload(1008))));
}

TEST(sec_12, utf8_is_what_the_conformance_suite_says) {
  std::ifstream file{"../shared/data/vectors/websocket/autobahn_utf8.json"};
  if (!file)
    GTEST_SKIP() << "132 strings not checked: no shared test data";
  const auto strings = nlohmann::json::parse(file);
  EXPECT_GE(strings.size(), 100U);
  for (const auto& one : strings) {
    const std::string hex = one.at("hex");
    std::string bytes;
    for (size_t i = 0; i + 1 < hex.size(); i += 2)
      bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    const bool valid = one.at("valid");
    EXPECT_EQ(is_utf8(bytes), valid) << hex;
    for (const size_t step : {std::string_view::npos, size_t{1}}) {
      echo_server s;
      EXPECT_EQ(s.feed(frame(text_frame, bytes), step), valid) << hex;
      EXPECT_THAT(s.messages, SizeIs(valid ? 1 : 0)) << hex;
    }
  }
}

// -- handshake -------------------------------------------------------------------------

const std::string rfc_key = "dGhlIHNhbXBsZSBub25jZQ==";

std::string request(const std::string& more = "Sec-WebSocket-Protocol: sip\r\n",
                    const std::string& version = "13", const std::string& key = rfc_key) {
  return "GET /sip HTTP/1.1\r\nHost: a.test\r\nUpgrade: WebSocket\r\n"
         "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: " +
         key + "\r\nSec-WebSocket-Version: " + version + "\r\n" + more + "\r\n";
}

TEST(ws_handshake, answers_as_in_rfc_6455_section_1_3) {
  const auto answer = answer_ws_request(request(), {});
  EXPECT_EQ(answer.status, 101);
  EXPECT_THAT(answer.response, HasSubstr("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
  EXPECT_THAT(answer.response, HasSubstr("Sec-WebSocket-Protocol: sip\r\n"));
  EXPECT_TRUE(check_ws_response(answer.response, rfc_key));
  EXPECT_FALSE(check_ws_response(answer.response, "AAAAAAAAAAAAAAAAAAAAAA=="));
}

TEST(ws_handshake, client_and_server_understand_each_other) {
  ws_client_settings settings;
  settings.path = "/ws?x=1";
  settings.origin = "https://console.test";
  const auto text = ws_client_request(settings, "a.test:8080", rfc_key);
  EXPECT_THAT(text, StartsWith("GET /ws?x=1 HTTP/1.1\r\nHost: a.test:8080\r\n"));
  EXPECT_EQ(find_ws_head(text + "more").value(), text.size());
  EXPECT_EQ(answer_ws_request(text, {{"https://console.test"}}).status, 101);
}

TEST(ws_handshake, refuses_what_is_wrong_with_the_right_status) {
  const std::string sip = "Sec-WebSocket-Protocol: sip\r\n";
  struct {
    const char* what;
    std::string head;
    int status;
  } const cases[]{
    {"no subprotocol", request(""), 400},
    {"another subprotocol", request("Sec-WebSocket-Protocol: msrp\r\n"), 400},
    {"sip among others", request("Sec-WebSocket-Protocol: msrp , sip\r\n"), 101},
    {"sip in a second field",
     request("Sec-WebSocket-Protocol: msrp\r\nSec-WebSocket-Protocol: sip\r\n"), 101},
    {"sip as part of a word", request("Sec-WebSocket-Protocol: sips, xsip\r\n"), 400},
    {"old version", request(sip, "8"), 426},
    {"no version",
     "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n" + sip +
       "Sec-WebSocket-Key: " + rfc_key + "\r\n\r\n",
     426},
    {"short key", request(sip, "13", "dGhlIHNhbXBsZQ=="), 400},
    {"key with trailing bits", request(sip, "13", "dGhlIHNhbXBsZSBub25jZR=="), 400},
    {"key that is none", request(sip, "13", "!!!!!!!!!!!!!!!!!!!!!!=="), 400},
    {"two keys", request(sip + "Sec-WebSocket-Key: " + rfc_key + "\r\n"), 400},
    {"plain GET", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 426},
    {"POST", "POST / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", 400},
    {"absolute target", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
    {"two hosts", request(sip + "Host: b.test\r\n"), 400},
    {"folded field", request(sip + " folded\r\n"), 400},
    {"space before the colon", request(sip + "X : y\r\n"), 400},
    {"no colon", request(sip + "nonsense\r\n"), 400},
    {"empty name", request(sip + ": x\r\n"), 400},
    {"bare line feed", request(sip + "X: y\nZ: w\r\n"), 400},
    {"a zero byte", request(sip + std::string{"X: \0\r\n", 6}), 400},
    {"two origins", request(sip + "Origin: a\r\nOrigin: b\r\n"), 400},
    {"empty", "\r\n\r\n", 400},
  };
  for (const auto& c : cases) {
    const auto answer = answer_ws_request(c.head, {});
    EXPECT_EQ(answer.status, c.status) << c.what;
    EXPECT_THAT(answer.response, StartsWith("HTTP/1.1 " + std::to_string(c.status))) << c.what;
    EXPECT_EQ(answer.reason.empty(), c.status == 101) << c.what;
  }
  std::string many = sip;
  for (int i = 0; i < 100; ++i)
    many += "X: y\r\n";
  EXPECT_EQ(answer_ws_request(request(many), {}).status, 400);
}

TEST(sec_33, origins_are_compared_exactly) {
  const ws_server_settings settings{{"https://console.test", "https://other.test:8443"}};
  const auto status = [&](const std::string& origin) {
    return answer_ws_request(request("Sec-WebSocket-Protocol: sip\r\nOrigin: " + origin + "\r\n"),
                             settings)
      .status;
  };
  EXPECT_EQ(status("https://console.test"), 101);
  EXPECT_EQ(status("https://other.test:8443"), 101);
  for (const char* origin :
       {"null", "", "https://evil.test", "https://console.test.evil.test", "http://console.test",
        "https://console.test:443", "https://console.test/", "xhttps://console.test",
        "https://CONSOLE.test", "https://other.test", "https://console.test, https://evil.test"})
    EXPECT_EQ(status(origin), 403) << origin;
  // No browser, no origin: digest is what protects the account.
  EXPECT_EQ(answer_ws_request(request(), settings).status, 101);
}

TEST(ws_handshake, heads_are_bounded_and_found_at_any_cut) {
  const std::string whole = request();
  for (size_t i = 0; i < whole.size(); ++i)
    EXPECT_EQ(find_ws_head(whole.substr(0, i)).value(), std::nullopt);
  EXPECT_EQ(find_ws_head(whole).value(), whole.size());
  EXPECT_TRUE(find_ws_head(std::string(8191, 'a')));
  EXPECT_FALSE(find_ws_head(std::string(8192, 'a')));
  EXPECT_FALSE(find_ws_head(std::string(8200, 'a') + "\r\n\r\n"));
  EXPECT_FALSE(find_ws_head("\x16\x03\x01")); // somebody speaks TLS
}

TEST(ws_handshake, a_client_refuses_wrong_answers) {
  const std::string good = answer_ws_request(request(), {}).response;
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  EXPECT_TRUE(check_ws_response(good, rfc_key));
  for (const auto& bad :
       {with("101", "200"), with("101", "1011"), with("HTTP/1.1", "HTTP/1.0"),
        with("Upgrade: websocket", "Upgrade: h2c"),
        with("Connection: Upgrade", "Connection: close"), with("s3p", "S3p"),
        with("Protocol: sip", "Protocol: sip, x"), with("Sec-WebSocket-Protocol: sip\r\n", ""),
        with("Sec-WebSocket-Protocol: sip\r\n",
             "Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Extensions: permessage-deflate\r\n")})
    EXPECT_FALSE(check_ws_response(bad, rfc_key)) << bad;
}

// -- flows -----------------------------------------------------------------------------

class websocket : public testing::Test, public sim_world {
protected:
  open_settings from_client() const {
    open_settings s;
    s.local = client_host;
    s.ws.path = "/sip";
    return s;
  }
  lane::endpoint listen(peer& p, const ws_server_settings& ws = {}) {
    listen_settings s;
    s.ws = ws;
    return p.layer.listen(protocol::ws, server_host.with_port(80), s).value();
  }
};

TEST_F(websocket, carries_one_message_a_frame_both_ways) {
  peer server{home};
  server.echo = true;
  peer client{home};
  const auto f = client.layer.open(protocol::ws, listen(server), from_client()).value();
  ASSERT_TRUE(client.layer.send(f, "one"));
  run_for(1s);
  ASSERT_TRUE(client.layer.send(f, std::string(65'000, 'x')));
  ASSERT_TRUE(client.layer.send(f, "\xff\xfe"));
  run_for(1s);
  EXPECT_THAT(client.texts(), ElementsAre("+one", "+" + std::string(65'000, 'x'), "+\xff\xfe"));
  client.layer.close(f);
  run_for(1s);
  ASSERT_THAT(server.failures, SizeIs(1));
  EXPECT_EQ(server.failures[0].cause, "");
  EXPECT_TRUE(server.failures[0].said_goodbye);
  EXPECT_EQ(server.layer.connections(), 0U);
}

TEST_F(websocket, a_layer_that_ends_says_goodbye) {
  peer server{home};
  const auto at = listen(server);
  auto client = std::make_unique<peer>(home);
  ASSERT_TRUE(
    client->layer.send(client->layer.open(protocol::ws, at, from_client()).value(), "one"));
  run_for(1s);
  client.reset();
  run_for(1s);
  ASSERT_THAT(server.failures, SizeIs(1));
  EXPECT_EQ(server.failures[0].cause, "");
  EXPECT_TRUE(server.failures[0].said_goodbye);
}

TEST_F(websocket, wss_is_tls_and_websocket) {
  const auto own = crypto::self_signed_certificate(std::vector<std::string>{"ws.test"}).value();
  peer server{home};
  server.echo = true;
  peer client{home};
  tls_settings mine;
  mine.own = own;
  listen_settings s;
  s.tls = tls_context::make(tls_context::role::server, mine).value();
  const auto at = server.layer.listen(protocol::wss, server_host.with_port(443), s).value();
  auto settings = from_client();
  tls_settings trusting;
  trusting.trusted_pem = own.certificate_pem;
  settings.tls = tls_context::make(tls_context::role::client, trusting).value();
  settings.server_name = "ws.test";
  const auto f = client.layer.open(protocol::wss, at, settings).value();
  ASSERT_TRUE(client.layer.send(f, "one"));
  run_for(1s);
  EXPECT_THAT(client.texts(), ElementsAre("+one"));
  EXPECT_TRUE(client.layer.tls_of(f));
  settings.server_name = "evil.test";
  ASSERT_TRUE(client.layer.open(protocol::wss, at, settings));
  run_for(1s);
  EXPECT_THAT(client.failures, SizeIs(1));
}

TEST_F(websocket, a_wrong_origin_is_refused_and_told_why) {
  peer server{home};
  peer client{home};
  const auto at = listen(server, {{"https://console.test"}});
  auto settings = from_client();
  settings.ws.origin = "https://evil.test";
  ASSERT_TRUE(client.layer.open(protocol::ws, at, settings));
  run_for(1s);
  ASSERT_THAT(client.failures, SizeIs(1));
  EXPECT_THAT(client.failures[0].cause, HasSubstr("403"));
  EXPECT_EQ(client.failures[0].during, flow_end::stage::websocket);
  ASSERT_THAT(server.failures, SizeIs(1));
  EXPECT_THAT(server.failures[0].cause, HasSubstr("evil.test"));
}

TEST_F(websocket, requests_that_would_inject_headers_are_not_made) {
  peer client{home};
  for (const char* path : {"", "sip", "/a b", "/a\r\nX: y"}) {
    auto settings = from_client();
    settings.ws.path = path;
    EXPECT_FALSE(client.layer.open(protocol::ws, server_host.with_port(80), settings)) << path;
  }
  auto settings = from_client();
  settings.ws.origin = "x\r\nX: y";
  EXPECT_FALSE(client.layer.open(protocol::ws, server_host.with_port(80), settings));
  settings = from_client();
  settings.server_name = "x\r\nX: y";
  EXPECT_FALSE(client.layer.open(protocol::ws, server_host.with_port(80), settings));
}

TEST_F(websocket, pings_find_a_peer_that_is_gone) {
  transport_settings settings;
  settings.keep_alive.websocket = 30s;
  peer server{home, settings};
  peer client{home, settings};
  const auto f = client.layer.open(protocol::ws, listen(server), from_client()).value();
  ASSERT_TRUE(client.layer.send(f, "x"));
  run_for(5min);
  EXPECT_THAT(client.failures, IsEmpty());
  EXPECT_THAT(server.failures, IsEmpty());
  home.set_partition(server_host, client_host, true);
  run_for(41s);
  EXPECT_THAT(client.failures, SizeIs(1));
  EXPECT_THAT(server.failures, SizeIs(1));
  EXPECT_THAT(server.texts(), ElementsAre("x"));
}

TEST_F(websocket, keep_alives_sent_as_messages_are_answered_and_not_delivered) {
  peer server{home};
  raw_stream raw{home, listen(server), client_host};
  run_for(1s);
  raw.write(request());
  run_for(1s);
  ASSERT_THAT(raw.got, StartsWith("HTTP/1.1 101 "));
  raw.got.clear();
  raw.write(frame(text_frame, "\r\n\r\n"));
  run_for(1s);
  EXPECT_EQ(raw.got, server_frame(text_frame, "\r\n"));
  EXPECT_THAT(server.texts(), IsEmpty());
}

TEST_F(websocket, frames_may_follow_the_request_at_once_and_be_cut_anywhere) {
  const std::string all = request() + frame(text_frame, "one") + frame(text_frame, "two");
  peer server{home};
  const auto at = listen(server);
  for (size_t cut = 1; cut < all.size(); cut += 7) {
    raw_stream raw{home, at, client_host};
    run_for(10ms);
    raw.write(all.substr(0, cut));
    run_for(10ms);
    raw.write(all.substr(cut));
    run_for(10ms);
    EXPECT_THAT(server.texts(), ElementsAre("one", "two")) << cut;
    server.messages.clear();
  }
}

TEST_F(websocket, slow_heads_and_frames_are_cut_off) {
  peer server{home};
  const auto at = listen(server);
  raw_stream head{home, at, client_host};
  raw_stream payload{home, at, client_host};
  run_for(1s);
  payload.write(request() + frame(text_frame, "x") + frame(text_frame, "begun", false));
  for (const char c : request().substr(0, 12)) {
    if (head.closed)
      break;
    head.write({&c, 1});
    run_for(1s);
  }
  EXPECT_TRUE(head.closed);
  EXPECT_FALSE(payload.closed);
  for (int i = 0; i < 4 && !payload.closed; ++i) {
    payload.write(frame(0, "y", false));
    run_for(9s);
  }
  EXPECT_TRUE(payload.closed);
  EXPECT_EQ(server.layer.connections(), 0U);
}

} // namespace
} // namespace jackfield::transport
