#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/interop/peers.hpp"
#include "tests/relay/path/relay.hpp"

namespace jackfield::tests {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// Where calls would go: what has come by the end of a test came of a wrong command.
class silent_target {
public:
  silent_target() : socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(socket_.get(), any, length), 0);
    EXPECT_EQ(getsockname(socket_.get(), any, &length), 0);
    port_ = ntohs(address.sin_port);
  }

  [[nodiscard]] std::string uri() const { return sip_uri("service", port_); }
  [[nodiscard]] bool was_called() const {
    char byte = 0;
    return recv(socket_.get(), &byte, 1, 0) >= 0;
  }

private:
  owned_fd socket_;
  uint16_t port_ = 0;
};

/// A command that is refused ends at once, on a machine that is not overwhelmed.
constexpr int accepted_after_ms = 10'000;

class bad_input : public testing::Test {
protected:
  /// The command ends with 2, and one line that names `place`, which is returned.
  std::string expect_refused(const arguments& command, const std::string& place) {
    const auto shown = [&] {
      std::string text = "jackfield";
      for (const auto& c : command)
        text += " '" + c + "'";
      return text;
    };
    arguments all{JACKFIELD_PROGRAM};
    all.insert(all.end(), command.begin(), command.end());
    process program{"refused", folder_, all};
    if (!program.ended_within(accepted_after_ms)) {
      program.signal(SIGKILL);
      ADD_FAILURE() << shown() << " runs";
    }
    const auto status = program.wait();
    const auto line = program.standard_error();
    EXPECT_EQ(status, 2) << shown() << '\n' << line;
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << shown() << '\n' << line;
    EXPECT_TRUE(!line.empty() && line.back() == '\n') << shown();
    EXPECT_EQ(std::find_if(line.begin(), line.end() - (line.empty() ? 0 : 1),
                           [](unsigned char c) { return c < 0x20 || c == 0x7f; }),
              line.end() - (line.empty() ? 0 : 1))
      << shown() << '\n'
      << line;
    EXPECT_THAT(line, HasSubstr(place)) << shown();
    EXPECT_THAT(program.standard_output(), IsEmpty()) << shown();
    return line;
  }

  /// `load` at a target that must hear nothing of it.
  void expect_load_refused(const arguments& options, const std::string& place) {
    arguments all{"load", target_.uri()};
    all.insert(all.end(), options.begin(), options.end());
    expect_refused(all, place);
    EXPECT_FALSE(target_.was_called()) << place;
  }

  scratch_folder folder_;
  silent_target target_;
};

TEST_F(bad_input, of_a_command_is_named) {
  expect_refused({"dial"}, "\"dial\"");
  expect_refused({"load\n"}, "\"load\\x0a\"");
  expect_refused({"--load"}, "\"--load\"");
}

TEST_F(bad_input, of_an_option_of_load_names_the_option) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> wrong = {
    {"--calls", {"0", "-1", "1.5", "many", "1e3", "0x10", " 1", "99999999999999999999", ""}},
    {"--rate",
     {"0", "-1", "fast", "1/", "0..5", "5,6", "1000001", "nan", "inf", "1/0s", "1\n2", ""}},
    {"--rp", {"0", "-1", "1s", ""}},
    {"--limit", {"0", "-5", "all", ""}},
    {"--duration",
     {"-1", "long", "1d", "exp:", "uniform:5s", "uniform:9s..5s", "uniform:..", "1e9h", ""}},
    {"-d", {"-1", "1s", "99999999999", ""}},
    {"--seed", {"-1", "x", "18446744073709551616", ""}},
    {"--ring-limit", {"-1", "x", ""}},
    {"--expires", {"0", "-1", "604801", "1h", ""}},
    {"--refreshes", {"-1", "x", ""}},
    {"--flow", {"calls", "CALL", ""}},
    {"--transport", {"sctp", "UDP5", "u2", ""}},
    {"--media", {"video", "RTP5", ""}},
    {"--stun", {"127.0.0.1:0", "127.0.0.1:x", ":3478", ""}},
    {"--turn",
     {"127.0.0.1:3478", "turn:127.0.0.1", "turn:u@127.0.0.1", "turn::p@127.0.0.1",
      "turns:u:p@127.0.0.1", "turn:u:p@127.0.0.1?transport=tls", "turn:u:p@127.0.0.1:0", ""}},
    {"--audio", {"tone:", "tone:9", "tone:9999", "absent.wav", "{user}.wav", ""}},
    {"--codecs", {"G729", "PCMU,,PCMA", "PCMU,speex", "PCMU,", ""}},
    {"--ptime", {"0", "15", "70", "x", ""}},
    {"--dtmf", {"12x", std::string(300, '1'), "1 2", "1,,2", "5s:1,2s:3", "x:1", "{pin}", ""}},
    {"--expect-sound", {"music", "tone:", "tone:50", "tone:440+", ""}},
    {"--dtmf-mode", {"sip", "INFO", ""}},
    {"--callee-hangs-up", {"maybe", "Allowed", ""}},
    {"--start-within", {"-1", "soon", ""}},
    {"--bound",
     {"lateness", "lateness=", "lateness=5ms:x", "lateness=0:1%", "mood=1ms:1%", "lag=20ms:101%",
      "start=x", ""}},
    {"--hold-after", {"-1", "x", "5s:", "5s:x", ":2s", ""}},
    {"--ice-restart-after", {"-1", "x", ""}},
    {"--local-ip", {"localhost", "127.0.0.1:5060", "300.0.0.1", "::1::", "192.0.2.1", ""}},
    {"--local-port", {"0", "65536", "x", ""}},
    {"--media-ip", {"here", "127.0.0.1:1", "", "192.0.2.1"}},
    {"--mp", {"80", "65001", "x", ""}},
    {"--media-ports", {"10000", "20000-10000", "1-2", "10000-70000", "x-y", ""}},
    {"--lanes", {"0", "65", "x", ""}},
    {"--auth-password", {"secret"}},
    {"--users", {"absent.csv", ".", ""}},
    {"--from", {"nobody", "sip:", "sip:a@b\r\nX: y", "sip:{user}@h", ""}},
    {"--header", {"X", ": x", "X Y", "X: a\r\nINVITE: b", "X: a\n", ""}},
    {"--route", {"proxy", "sip:", "tel:1", "sip:a\r\nb", ""}},
    {"--dns-server",
     {"localhost", "dns.example.org:53", "127.0.0.1:0", "127.0.0.1:x", "0.0.0.0", "224.0.0.1",
      "127.0.0.1,127.0.0.2", ":53", "[::1", ""}},
    {"--ca-file", {"absent.pem", "."}},
    {"--cert", {"absent.pem"}},
    {"--key", {"absent.pem"}},
    {"--ws-path", {"chat", "/a b", "/a\r\nb", ""}},
    {"--metrics", {"9464", "localhost:9464", "127.0.0.1:x", "192.0.2.1:9464", ""}},
    {"--threshold", {"srd_ms", "srd_ms: p(99)", "nothing: p(99)<1", "srd_ms: p(101)<1", ""}},
    {"--json", {"absent/a.json", "."}},
    {"--html", {"absent/a.html"}},
    {"--csv", {"absent/a.csv"}},
    {"--junit", {"absent/a.xml"}},
    {"--calls-file", {"absent/a.jsonl"}},
    {"--trace", {"absent/a.txt", ".", "-", ""}},
    {"--trace-limit", {"0", "-1", "1T", "K", "many", "99999999999G", "1M", ""}},
    {"--unknown", {"x"}},
  };
  for (const auto& [option, values] : wrong)
    for (const auto& value : values) {
      arguments command{option, value};
      // Files of authorities and certificates are read where they are used.
      if (option == "--ca-file")
        command.insert(command.end(), {"-t", "tls"});
      if (option == "--stun" || option == "--turn" || option == "--ice-restart-after")
        command.insert(command.end(), {"--media", "webrtc"});
      // What is wrong with a file names the file.
      const bool file = value == "absent.csv" || value == "absent.wav" || value == "." ||
                        (value == "absent.pem" && option == "--ca-file");
      expect_load_refused(command,
                          file && option != "--json" && option != "--trace" ? value : option);
    }
}

TEST_F(bad_input, of_another_tools_options_says_what_to_use) {
  const auto said = [&](arguments command) {
    const auto place = command.front();
    command.insert(command.begin(), "load");
    return expect_refused(command, place);
  };
  for (const auto& [option, instead] : {std::pair{"-sf", "--hold-after"},
                                        {"-sn", "--flow"},
                                        {"-trace_msg", "--trace-all"},
                                        {"-trace_stat", "--csv"},
                                        {"-skip_rlimit", "limits are raised"},
                                        {"-rtp_echo", "--audio echo"},
                                        {"-tls_cert", "--cert"},
                                        {"--vus", "-l for calls at once"},
                                        {"--stage", "-r 0..500/60s"}}) {
    const auto error = said({option, "x"});
    EXPECT_TRUE(error.starts_with(std::string{option} + ": is ")) << error;
    EXPECT_NE(error.find(instead), std::string::npos) << error;
  }
  EXPECT_EQ(said({"--raet", "10"}), "--raet: is no option, did you mean --rate?\n");
  EXPECT_EQ(said({"--durations", "1"}), "--durations: is no option, did you mean --duration?\n");
  EXPECT_EQ(said({"--xyzzyplugh"}), "--xyzzyplugh: is no option, see --help\n");
}

TEST_F(bad_input, of_options_that_do_not_go_together_names_one) {
  expect_load_refused({"-d", "1000", "--duration", "1"}, "-d");
  expect_load_refused({"-p", "5080", "--lanes", "2"}, "--local-port");
  expect_load_refused({"--answer-after", "1s"}, "--answer-after");
  expect_load_refused({"--rate"}, "--rate");
  expect_load_refused({"--dtmf-mode", "info"}, "--dtmf-mode");
  expect_load_refused({"--dtmf", "1", "--dtmf-mode", "inband", "--audio", "echo"}, "--dtmf-mode");
  expect_load_refused({"--when-full", "wait"}, "--when-full");
  expect_load_refused({"-l", "5", "--when-full", "drop"}, "--when-full");
  expect_load_refused({"--callee-hangs-up", "fails", "--flow", "options"}, "--callee-hangs-up");
  expect_load_refused({"-t", "un"}, "--transport");
  expect_load_refused({"--own-connections"}, "--own-connections");
  expect_load_refused({"--hear", "--media", "none"}, "--hear");
  expect_load_refused({"--dtmf", "1", "--media", "none"}, "--dtmf");
  expect_load_refused({"--expect-sound", "tone", "--media", "none"}, "--expect-sound");
  expect_load_refused({"--ice-restart-after", "1s"}, "--ice-restart-after");
  expect_load_refused({"--stun", "127.0.0.1"}, "--stun");
  expect_load_refused({"--turn", "turn:u:p@127.0.0.1", "--media", "srtp"}, "--turn");
  expect_load_refused({"--relay-only", "--media", "webrtc"}, "--relay-only");
  expect_load_refused({"--trace-all"}, "--trace-all");
  expect_load_refused(
    {"--dns-server", "::1", "--dns-server", "::2", "--dns-server", "::3", "--dns-server", "::4"},
    "--dns-server");
  expect_load_refused({"one", "two"}, "two");
  expect_refused({"load", "sips:x@127.0.0.1:9", "-t", "udp"}, "--transport: the URI is sips:");
  expect_refused({"load", "::1"}, "in brackets");
  for (const auto* option : {"--header", "--threshold", "--turn", "--dns-server"})
    expect_load_refused({option, "x", "one", "two"}, "two"); // it takes no more than its own
}

TEST_F(bad_input, of_a_turn_server_over_tls_says_that_there_is_none_and_tells_no_password) {
  for (const char* command : {"load", "answer"}) {
    arguments all{command, "--turn", "turns:user:s3cret@turn.example.org:5349", "--media",
                  "webrtc"};
    if (all.front() == "load")
      all.push_back(target_.uri());
    const auto line = expect_refused(all, "--turn: TURN over TLS is not available");
    EXPECT_THAT(line, HasSubstr("expected turn:USER:PASSWORD@HOST"));
    EXPECT_EQ(line.find("s3cret"), line.npos) << line;
  }
  EXPECT_FALSE(target_.was_called());
}

TEST_F(bad_input, of_a_uri_is_named) {
  for (const std::string uri :
       {"sip:", "sips:", "tel:+4912345", "http://127.0.0.1/", "sip:a@", "sip:a@127.0.0.1:99999",
        "sip:a@127.0.0.1:port", "127.0.0.1:0x10", "sip:a@[::1", "a b", "sip:a@b c", "sip:a\r\n@b",
        "sip:a@127.0.0.1\x1b[2J", ""})
    expect_refused({"load", uri}, "URI");
  expect_refused({"load", "sip:a@absent.invalid"}, "absent.invalid");
}

TEST_F(bad_input, of_a_row_of_users_names_file_and_line) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
    {"", "users.csv"},
    {"user,password\n", "users.csv"},
    {"name\nalice\n", "users.csv:1"},
    {"user,user\nalice,bob\n", "users.csv:1"},
    {"user,\nalice,x\n", "users.csv:1"},
    {"user,password\nalice\n", "users.csv:2"},
    {"user,password\nalice,x\n\nbob,y,z\n", "users.csv:4"},
    {"user,password\nalice,\"x\n", "users.csv:2"},
    {"user,password\nalice,x\"y\n", "users.csv:2"},
    {"user,password\n,x\n", "users.csv:2"},
    {"user,password\nalice,a\tb\n", "users.csv:2"},
    {std::string{"user,password\nalice,a\0b\n", 24}, "users.csv:2"},
    {"SEQUENTIAL,PRINTF=9\nalice;x\n", "users.csv:1"},
    {"SEQUENTIAL\nalice;x\nbob\n", "users.csv:3"},
  };
  for (const auto& [text, place] : wrong)
    expect_load_refused({"--users", folder_.write("users.csv", text)}, place);
}

TEST_F(bad_input, of_a_users_field_names_the_option_and_the_row) {
  const auto users = folder_.write("users.csv", "user,to,desk\nalice,bob,4\n");
  expect_load_refused({"--users", users, "--header", "X-Desk: {room}"}, "--header");
  expect_load_refused({"--users", users, "--header", "X-Desk: {desk"}, "--header");
  expect_load_refused({"--users", users, "--from", "sip:{room}@example.com"}, "--from");
  expect_load_refused({"--users", users, "--from", "{desk}"}, "--from");
  expect_load_refused({"--users", users, "--flow", "register", "-m", "2"}, "--calls");
}

TEST_F(bad_input, of_a_file_is_refused_before_a_call) {
  expect_load_refused({"--audio", folder_.write("noise.wav", "RIFF no sound")}, "noise.wav");
  const auto text = folder_.write("text.pem", "-----BEGIN CERTIFICATE-----\nno\n");
  expect_load_refused({"-t", "tls", "--ca-file", text}, "text.pem");
  expect_load_refused({"-t", "tls", "--cert", text, "--key", text}, "text.pem");
}

TEST_F(bad_input, of_an_option_of_answer_names_the_option) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> wrong = {
    {"--listen",
     {"nowhere", "127.0.0.1:x", "127.0.0.1:99999", "sctp:127.0.0.1:0", "192.0.2.1:0", ""}},
    {"--transport", {"sctp", ""}},
    {"--dns-server", {"localhost", "[::1]:0", "1.2.3.4.5", ""}},
    {"--local-ip", {"localhost", ""}},
    {"--local-port", {"0", "65536", ""}},
    {"--media", {"video", ""}},
    {"--audio", {"tone:9", "absent.wav", ""}},
    {"--media-ip", {"here", ""}},
    {"--media-ports", {"1-2", ""}},
    {"--answer-after", {"soon", "exp:", "uniform:5s", "uniform:2s..1s", ""}},
    {"--answer-share", {"0.8", "101%", "-1%", "%", "nan%", "80%%", ""}},
    {"--busy-share", {"some", "100.1%", ""}},
    {"--ring-limit", {"-1", "x", ""}},
    {"--seed", {"-1", "x", ""}},
    {"--register-rate", {"10"}}, // these need --register
    {"--expires", {"60"}},
    {"--ca-file", {"a.pem"}},
    {"--ws-path", {"/"}},
    {"--keep-alive", {"30s"}},
    {"--duration", {"long", ""}},
    {"--refuse", {"200", "299", "700", "no", ""}},
    {"--max-expires", {"0", "x", ""}},
    {"--codecs", {"G729", "opus,", ""}},
    {"--users", {"absent.csv"}},
    {"--cert", {"absent.pem"}},
    {"--key", {"absent.pem"}},
    {"--json", {"absent/a.json"}},
    {"--trace", {"absent/a.txt", "-", ""}},
    {"--trace-limit", {"0", "1M", ""}},
    {"--unknown", {"x"}},
  };
  for (const auto& [option, values] : wrong)
    for (const auto& value : values) {
      arguments command{"answer", option, value};
      if (option != "--listen" && option != "--local-ip" && option != "--local-port")
        command.insert(command.end(), {"--listen", "udp:127.0.0.1:0"});
      expect_refused(command, value == "absent.csv" || value == "absent.wav" ? value : option);
    }
  expect_refused({"answer", "word"}, "word");
  expect_refused({"answer", "--connect", "--media", "none"}, "--connect");
  expect_refused({"answer", "--ice-lite", "--media", "rtp"}, "--ice-lite");
  expect_refused({"answer", "--ice-lite", "--stun", "127.0.0.1"}, "--stun");
  expect_refused({"answer", "--ice-lite", "--turn", "turn:u:p@127.0.0.1"}, "--turn");
  expect_refused({"answer", "--users", folder_.write("users.csv", "user\nalice\n"), "--listen",
                  "udp:127.0.0.1:0"},
                 "users.csv");
  const auto text = folder_.write("text.pem", "no certificate");
  expect_refused({"answer", "--listen", "tls:127.0.0.1:0", "--cert", text, "--key", text},
                 "text.pem");
}

TEST_F(bad_input, of_users_who_register_names_the_option) {
  const auto users = folder_.write("users.csv", "user,password,audio\nalice,a,\n");
  const auto pbx = target_.uri();
  const auto expect = [&](const arguments& more, const std::string& place) {
    arguments command{"answer", "--users", users};
    command.insert(command.end(), more.begin(), more.end());
    expect_refused(command, place);
    EXPECT_FALSE(target_.was_called()) << place;
  };
  for (const auto* const wrong : {"sip:", "tel:+1", "sip:a b", "sip:127.0.0.1;transport=sctp", ""})
    expect({"--register", wrong}, "--register");
  const std::vector<std::pair<std::string, std::vector<std::string>>> wrong = {
    {"--register-rate", {"0", "-1", "x", "100001", ""}},
    {"--expires", {"0", "604801", "1h", ""}},
    {"--keep-alive", {"often", ""}},
    {"--ws-path", {"/", "x", ""}},
    {"--ca-file", {"a.pem", ""}},
    {"--transport", {"sctp", ""}},
    {"--local-ip", {"localhost", "192.0.2.1", ""}},
    {"--local-port", {"0", "65536", ""}},
  };
  for (const auto& [option, values] : wrong)
    for (const auto& value : values)
      expect({"--register", pbx, option, value}, option);
  expect({"--register", pbx + ";transport=tcp", "-t", "udp"}, "--transport");
  expect({"--register", pbx + ";transport=tls", "--ca-file", "absent.pem"}, "absent.pem");
  expect({"--register", pbx + ";transport=ws", "--ws-path", "x"}, "--ws-path");
  expect({"--register", pbx, "--insecure"}, "--insecure");
  expect({"--register", pbx, "--connect"}, "--connect");
  expect({"--register", pbx, "--lanes", "2", "-p", "5060"}, "--local-port");
  expect({"--register", pbx, "--busy-share", "60%", "--answer-share", "60%"}, "--answer-share");
  expect({"--register", pbx, "--busy-share", "60%", "--refuse", "503"}, "--refuse");
  expect_refused({"answer", "--register", pbx}, "--register");
  expect_refused({"answer", "--register", pbx, "--users", "absent.csv"}, "absent.csv");
  expect_refused({"answer", "--register", pbx, "--users",
                  folder_.write("wrong.csv", "user,audio\nalice,absent.wav\n")},
                 "absent.wav");
  expect_refused({"answer", "--insecure"}, "--insecure");
}

TEST_F(bad_input, of_a_port_in_use_is_named) {
  const auto answer = start_answerer(folder_, "udp:127.0.0.1:0");
  expect_refused({"answer", "--listen", "udp:" + loopback(answer.port)}, "--listen");
  expect_load_refused({"-i", "127.0.0.1", "-p", std::to_string(answer.port)}, "--local-port");
}

} // namespace
} // namespace jackfield::tests
