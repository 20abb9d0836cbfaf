#include "engine/sip/digest.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engine/sip/request_text.hpp"
#include "tests/sip/ua_harness.hpp"

namespace jackfield::sip {
namespace {

using namespace testing;
using verdict = digest_session::verdict;

digest_algorithm algorithm_of(std::string_view name) {
  if (name.starts_with("SHA-512"))
    return digest_algorithm::sha512_256;
  return name.starts_with("SHA-256") ? digest_algorithm::sha256 : digest_algorithm::md5;
}

TEST(sec_29, digest_vectors) {
  std::filesystem::path file = "../shared/data/vectors/digest/digest_vectors.json";
  if (!std::filesystem::exists(file))
    GTEST_SKIP() << "no " << file << ": 0 vectors checked";
  auto vectors = nlohmann::json::parse(std::ifstream(file));
  int checked = 0;
  for (auto& v : vectors) {
    SCOPED_TRACE(v["source"].get<std::string>());
    auto text = [&v](const char* name) { return v.value(name, std::string{}); };
    auto name = text("algorithm");
    digest_credentials c;
    c.algorithm = algorithm_of(name);
    c.session = name.ends_with("-sess");
    c.nonce = text("nonce");
    c.cnonce = text("cnonce");
    c.uri = text("uri");
    c.nc = static_cast<uint32_t>(std::strtoul(text("nc").c_str(), nullptr, 16));
    auto qop = text("qop");
    c.qop = qop == "auth"       ? digest_qop::auth
            : qop == "auth-int" ? digest_qop::auth_int
                                : digest_qop::none;
    auto ha1 = digest_ha1(c.algorithm, text("username"), text("realm"), text("password"));
    auto body = text("body");
    auto response = digest_response(c, ha1, {text("method"), c.uri, body});
    // RFC 7616's own SHA-512-256 example is plain SHA-512 cut short, as its errata say.
    auto wrong_in_rfc = text("source").find("DO NOT implement") != std::string::npos;
    EXPECT_EQ(response == text("expected_response"), !wrong_in_rfc) << response;
    if (!wrong_in_rfc && v.contains("userhash")) {
      EXPECT_EQ(digest_hex(c.algorithm, text("username") + ":" + text("realm")), text("userhash"));
    }
    ++checked;
  }
  EXPECT_GE(checked, 12);
}

std::string failure(std::string_view headers, int status = 401) {
  return "SIP/2.0 " + std::to_string(status) +
         " No\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n"
         "To: <sip:a@b>;tag=2\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\n" +
         std::string(headers) + "Content-Length: 0\r\n\r\n";
}

struct digest_client : ::testing::Test {
  std::vector<credential> known{{"bob", "biloxi.com", "zanzibar", {"biloxi.com", "192.0.2.2"}}};
  digest_session session;

  verdict challenge(std::string_view headers, int status = 401,
                    std::string_view host = "biloxi.com", std::string_view hop = "biloxi.com") {
    text_ = failure(headers, status);
    message m;
    EXPECT_EQ(m.parse(text_), parse_verdict::good) << m.fault().cause;
    return session.on_challenge(m, known, host, hop, 42);
  }
  std::string authorization(std::string_view host = "biloxi.com",
                            std::string_view hop = "biloxi.com") {
    std::string out;
    session.append_authorization(out, {"REGISTER", "sip:biloxi.com", ""}, host, hop);
    return out;
  }
  void succeed(std::string_view headers = {}) {
    text_ = failure(headers, 200);
    message m;
    ASSERT_EQ(m.parse(text_), parse_verdict::good);
    session.on_success(m);
  }
  std::string text_;
};

constexpr std::string_view md5 = "Digest realm=\"biloxi.com\", nonce=\"n1\", qop=\"auth\"";
constexpr std::string_view sha256 =
  "Digest realm=\"biloxi.com\", nonce=\"n2\", qop=\"auth\", algorithm=SHA-256";

TEST_F(digest_client, takes_the_strongest_of_several_fields) {
  for (auto order : {0, 1}) {
    session = {};
    auto first = "WWW-Authenticate: " + std::string(order ? sha256 : md5) + "\r\n";
    auto second = "WWW-Authenticate: " + std::string(order ? md5 : sha256) + "\r\n";
    ASSERT_EQ(challenge(first + second), verdict::retry);
    auto out = authorization();
    EXPECT_NE(out.find("algorithm=SHA-256,"), out.npos) << out;
    EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 1);
  }
}

TEST_F(digest_client, takes_the_strongest_of_one_field) {
  ASSERT_EQ(challenge("WWW-Authenticate: " + std::string(md5) + ", " + std::string(sha256) +
                      ", Basic realm=\"x\"\r\n"),
            verdict::retry);
  EXPECT_NE(authorization().find("nonce=\"n2\""), std::string::npos);
}

TEST_F(digest_client, skips_what_it_does_not_know) {
  EXPECT_EQ(challenge("WWW-Authenticate: Digest realm=\"biloxi.com\", nonce=\"n\", "
                      "algorithm=SHA3-1024\r\n"),
            verdict::no_credential);
  EXPECT_EQ(challenge("WWW-Authenticate: Digest realm=\"biloxi.com\", nonce=\"n\", "
                      "qop=\"magic\"\r\n"),
            verdict::no_credential);
  EXPECT_EQ(challenge("WWW-Authenticate: Digest realm=\"biloxi.com\", realm=\"x\", "
                      "nonce=\"n\"\r\n"),
            verdict::no_credential);
}

TEST_F(digest_client, refused_credential_is_not_sent_twice) {
  ASSERT_EQ(challenge("WWW-Authenticate: " + std::string(md5) + "\r\n"), verdict::retry);
  authorization();
  EXPECT_EQ(challenge("WWW-Authenticate: " + std::string(md5) + "\r\n"), verdict::refused);
}

TEST_F(digest_client, stale_is_answered_once_more) {
  ASSERT_EQ(challenge("WWW-Authenticate: " + std::string(md5) + "\r\n"), verdict::retry);
  authorization();
  auto stale = "WWW-Authenticate: " + with(std::string(md5), "n1", "n9") + ", stale=TRUE\r\n";
  ASSERT_EQ(challenge(stale), verdict::retry);
  EXPECT_NE(authorization().find("nonce=\"n9\""), std::string::npos);
  EXPECT_EQ(challenge(stale), verdict::refused);
}

TEST_F(digest_client, reuses_the_nonce_with_rising_count) {
  ASSERT_EQ(challenge("WWW-Authenticate: " + std::string(md5) + "\r\n"), verdict::retry);
  EXPECT_NE(authorization().find("nc=00000001"), std::string::npos);
  succeed();
  EXPECT_NE(authorization().find("nc=00000002"), std::string::npos);
  succeed("Authentication-Info: qop=auth, nextnonce=\"fresh\"\r\n");
  auto out = authorization();
  EXPECT_NE(out.find("nonce=\"fresh\""), out.npos);
  EXPECT_NE(out.find("nc=00000001"), out.npos);
  // A server that forgot the nonce, without saying stale.
  EXPECT_EQ(challenge("WWW-Authenticate: " + std::string(md5) + "\r\n"), verdict::retry);
}

TEST_F(digest_client, both_401_and_407_in_one_request) {
  known.emplace_back("bob", "proxy", "pw", std::vector<std::string>{"proxy.example"});
  ASSERT_EQ(challenge("Proxy-Authenticate: Digest realm=\"proxy\", nonce=\"p\"\r\n", 407,
                      "biloxi.com", "proxy.example"),
            verdict::retry);
  authorization("biloxi.com", "proxy.example");
  ASSERT_EQ(
    challenge("WWW-Authenticate: " + std::string(md5) + "\r\n", 401, "biloxi.com", "proxy.example"),
    verdict::retry);
  auto out = authorization("biloxi.com", "proxy.example");
  EXPECT_NE(out.find("Proxy-Authorization: Digest"), out.npos);
  EXPECT_NE(out.find("\r\nAuthorization: Digest"), out.npos);
}

TEST(sec_24, answers_only_the_configured_realm_and_host) {
  std::vector<credential> trunk{{"bob", "trunk", "pw", {"trunk.example"}}};
  auto ask = [&](std::string_view headers, int status, std::string_view host,
                 std::string_view hop) {
    digest_session s;
    auto text = failure(headers, status);
    message m;
    EXPECT_EQ(m.parse(text), parse_verdict::good);
    return s.on_challenge(m, trunk, host, hop, 1);
  };
  constexpr std::string_view www = "WWW-Authenticate: Digest realm=\"trunk\", nonce=\"n\"\r\n";
  constexpr std::string_view proxy = "Proxy-Authenticate: Digest realm=\"trunk\", nonce=\"n\"\r\n";
  constexpr std::string_view foreign = "WWW-Authenticate: Digest realm=\"evil\", nonce=\"n\"\r\n";
  EXPECT_EQ(ask(www, 401, "TRUNK.example", "trunk.example"), verdict::retry);
  EXPECT_EQ(ask(proxy, 407, "callee.example", "trunk.example"), verdict::retry);
  // A callee behind the trunk that asks for itself, and one that is reached directly.
  EXPECT_EQ(ask(www, 401, "callee.example", "trunk.example"), verdict::no_credential);
  EXPECT_EQ(ask(proxy, 407, "callee.example", "callee.example"), verdict::no_credential);
  EXPECT_EQ(ask(foreign, 401, "trunk.example", "trunk.example"), verdict::no_credential);
  EXPECT_EQ(ask(www, 401, "", ""), verdict::no_credential);
}

TEST(sec_24, a_credential_stays_with_its_hosts) {
  std::vector<credential> trunk{{"bob", "trunk", "pw", {"trunk.example"}}};
  digest_session s;
  auto text = failure("WWW-Authenticate: Digest realm=\"trunk\", nonce=\"n\"\r\n");
  message m;
  ASSERT_EQ(m.parse(text), parse_verdict::good);
  ASSERT_EQ(s.on_challenge(m, trunk, "trunk.example", "trunk.example", 1), verdict::retry);
  std::string out;
  s.append_authorization(out, {"BYE", "sip:x@callee", ""}, "callee", "callee");
  EXPECT_EQ(out, "");
}

TEST(sec_05, long_values_build_no_long_credential) {
  for (size_t n : {1u << 10, 1u << 11, 1u << 13, 1u << 15}) {
    std::string big(n, 'x');
    std::vector<credential> known{{"bob", big, "pw", {"h"}}, {big, "r", "pw", {"h"}}};
    for (auto& headers : {"WWW-Authenticate: Digest realm=\"" + big + "\", nonce=\"n\"\r\n",
                          "WWW-Authenticate: Digest realm=\"r\", nonce=\"" + big + "\"\r\n",
                          std::string("WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n")}) {
      digest_session s;
      auto text = failure(headers);
      message m;
      ASSERT_EQ(m.parse(text), parse_verdict::good);
      s.on_challenge(m, known, "h", "h", 1);
      std::string out;
      s.append_authorization(out, {"REGISTER", "sip:h", ""}, "h", "h");
      EXPECT_LE(out.size(), max_credential_bytes + 40);
    }
  }
}

TEST(sec_05, malformed_challenges_and_credentials) {
  for (std::string_view bad :
       {"Digest", "Digest ", "Digest realm", "Digest realm=", "Digest realm=\"x", "Digest =",
        "Digest realm=\"x\" nonce=\"y", "Digest ,,,", "=", "\"", "Digest realm=\"\\", "", ",",
        "Digest username=\"a\",username=\"b\",realm=\"r\",nonce=\"n\",uri=\"u\",response=\"z\""}) {
    EXPECT_FALSE(digest_challenge::parse(bad)) << bad;
    EXPECT_FALSE(digest_credentials::parse(bad)) << bad;
  }
  EXPECT_FALSE(digest_credentials::parse("Digest username=\"a\",realm=\"r\",nonce=\"n\",uri=\"u\","
                                         "response=\"z\",nc=xyz"));
  EXPECT_FALSE(digest_credentials::parse("Digest realm=\"" + std::string(3000, 'x') + "\""));
}

TEST(digest, quotes_are_escaped) {
  auto c = digest_challenge::parse("Digest realm=\"a\\\"b\\\\c\", nonce=\"n\"");
  ASSERT_TRUE(c);
  EXPECT_EQ(c->realm, "a\"b\\c");
  std::vector<credential> known{{"u\"x", "a\"b\\c", "pw", {"h"}}};
  digest_session s;
  auto text = failure("WWW-Authenticate: Digest realm=\"a\\\"b\\\\c\", nonce=\"n\"\r\n");
  message m;
  ASSERT_EQ(m.parse(text), parse_verdict::good);
  ASSERT_EQ(s.on_challenge(m, known, "h", "h", 1), verdict::retry);
  std::string out;
  s.append_authorization(out, {"REGISTER", "sip:h", ""}, "h", "h");
  auto value = out.substr(out.find("Digest"));
  auto back = digest_credentials::parse(value.substr(0, value.size() - 2));
  ASSERT_TRUE(back) << out;
  EXPECT_EQ(back->username, "u\"x");
  EXPECT_EQ(back->realm, "a\"b\\c");
}

// -- the server's side ------------------------------------------------------------------------

struct digest_server : ::testing::Test {
  using answer = digest_verifier::verdict;
  digest_verifier::settings settings{.realm = "biloxi.com", .secret = "0123456789abcdef"};
  std::unique_ptr<digest_verifier> server = std::make_unique<digest_verifier>(settings);
  std::chrono::steady_clock::time_point now{std::chrono::hours{5}};
  std::vector<credential> known{{"bob", "biloxi.com", "zanzibar", {"biloxi.com"}}};
  digest_session client;
  std::string username;

  static std::string_view find(void*, std::string_view user, digest_algorithm a) {
    static const std::array<std::string, 3> ha1{
      digest_ha1(digest_algorithm::md5, "bob", "biloxi.com", "zanzibar"),
      digest_ha1(digest_algorithm::sha256, "bob", "biloxi.com", "zanzibar"),
      digest_ha1(digest_algorithm::sha512_256, "bob", "biloxi.com", "zanzibar")};
    return user == "bob" ? std::string_view(ha1[static_cast<size_t>(a)]) : std::string_view{};
  }
  void challenge(bool stale = false) {
    std::string lines;
    server->append_challenges(lines, now, ++random_, stale);
    auto text = failure(lines);
    message m;
    ASSERT_EQ(m.parse(text), parse_verdict::good);
    ASSERT_EQ(client.on_challenge(m, known, "biloxi.com", "biloxi.com", 3), verdict::retry);
  }
  std::string request(std::string_view uri = "sip:biloxi.com") {
    std::string lines;
    client.append_authorization(lines, {"REGISTER", uri, ""}, "biloxi.com", "biloxi.com");
    return with_lines(lines);
  }
  static std::string with_lines(std::string_view lines) {
    return "REGISTER sip:biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\r\n"
           "Max-Forwards: 70\r\nFrom: <sip:bob@biloxi.com>;tag=1\r\nTo: <sip:bob@biloxi.com>\r\n"
           "Call-ID: c\r\nCSeq: 1 REGISTER\r\n" +
           std::string(lines) + "Content-Length: 0\r\n\r\n";
  }
  answer verify(const std::string& text) {
    message m;
    EXPECT_EQ(m.parse(text), parse_verdict::good) << m.fault().cause;
    return server->verify(m, now, &find, nullptr, username);
  }
  uint64_t random_ = 0;
};

TEST_F(digest_server, accepts_the_right_one) {
  EXPECT_EQ(verify(with_lines("")), answer::absent);
  challenge();
  EXPECT_EQ(verify(request()), answer::accepted);
  EXPECT_EQ(username, "bob");
  EXPECT_EQ(verify(request()), answer::accepted); // nonce reuse, nc 2
}

TEST_F(digest_server, refuses_the_wrong_one) {
  challenge();
  auto good = request();
  EXPECT_EQ(verify(with(good, "username=\"bob\"", "username=\"eve\"")), answer::wrong);
  EXPECT_EQ(verify(with(good, "response=\"", "response=\"0")), answer::wrong);
  EXPECT_EQ(verify(with(good, "uri=\"sip:biloxi.com\"", "uri=\"sip:evil.com\"")), answer::wrong);
  EXPECT_EQ(verify(with(good, "nc=00000001", "nc=zz")), answer::malformed);
  EXPECT_EQ(verify(request("sip:other.com")), answer::wrong);
}

/// What an unknown user's response is compared with is no password: whoever guesses it is unknown
/// all the same.
TEST_F(digest_server, refuses_an_unknown_user_whatever_hash_was_used) {
  for (const auto a :
       {digest_algorithm::md5, digest_algorithm::sha256, digest_algorithm::sha512_256}) {
    settings.offer_md5 = a == digest_algorithm::md5;
    settings.offer_sha256 = a == digest_algorithm::sha256;
    settings.offer_sha512_256 = a == digest_algorithm::sha512_256;
    server = std::make_unique<digest_verifier>(settings);
    for (const char digit : {'0', 'f'}) {
      const std::string hash(a == digest_algorithm::md5 ? 32 : 64, digit);
      known = {credential{"eve", "biloxi.com", {hash, hash, hash}, {"biloxi.com"}}};
      client = {};
      challenge();
      const auto text = request();
      ASSERT_NE(text.find("username=\"eve\""), std::string::npos) << text;
      EXPECT_EQ(verify(text), answer::wrong) << to_string(a) << ' ' << digit;
    }
  }
}

TEST(sec_27_setup, nonce_is_not_guessable) {
  digest_verifier a({.realm = "r", .secret = "0123456789abcdef"});
  digest_verifier b({.realm = "r", .secret = "0123456789abcdeX"});
  std::string x, y;
  a.append_challenges(x, {}, 1, false);
  b.append_challenges(y, {}, 1, false);
  EXPECT_NE(x, y);
}

using sec_27 = digest_server;

/// RFC 7616 §3.3: whoever changes a nonce, its time say, or brings another realm's, has none.
TEST_F(sec_27, a_nonce_is_one_as_it_was_made_and_where) {
  const auto answer_with = [&](const digest_verifier& maker, auto change) {
    std::string lines;
    maker.append_challenges(lines, now, ++random_, false);
    change(lines);
    const auto text = failure(lines);
    message m;
    EXPECT_EQ(m.parse(text), parse_verdict::good);
    client = {};
    EXPECT_EQ(client.on_challenge(m, known, "biloxi.com", "biloxi.com", 3), verdict::retry);
    return verify(request());
  };
  const std::string_view mark = "nonce=\"";
  std::string lines;
  server->append_challenges(lines, now, 1, false);
  const auto begin = lines.find(mark) + mark.size();
  const auto size = lines.find('"', begin) - begin;
  ASSERT_GT(size, 0U);
  EXPECT_EQ(answer_with(*server, [](std::string&) {}), answer::accepted);
  for (size_t i = 0; i < size; ++i)
    EXPECT_EQ(answer_with(*server,
                          [&](std::string& all) {
                            for (auto at = all.find(mark); at != std::string::npos;
                                 at = all.find(mark, at + 1)) {
                              auto& digit = all[at + mark.size() + i];
                              digit = digit == '0' ? '1' : '0';
                            }
                          }),
              answer::stale)
      << i;
  auto elsewhere = settings;
  elsewhere.realm = "atlanta.com";
  EXPECT_EQ(answer_with(digest_verifier{elsewhere},
                        [](std::string& all) {
                          for (auto at = all.find("atlanta"); at != std::string::npos;
                               at = all.find("atlanta"))
                            all.replace(at, 7, "biloxi");
                        }),
            answer::stale);
}

TEST_F(sec_27, replay_is_stale) {
  challenge();
  auto captured = request();
  EXPECT_EQ(verify(captured), answer::accepted);
  EXPECT_EQ(verify(with(captured, "z9hG4bKx", "z9hG4bKy")), answer::stale);
  EXPECT_EQ(verify(with(captured, "CSeq: 1", "CSeq: 2")), answer::stale);
  EXPECT_EQ(verify(with(captured, "Call-ID: c", "Call-ID: d")), answer::stale);
  EXPECT_EQ(verify(request()), answer::accepted);
  EXPECT_EQ(verify(captured), answer::stale);
}

// RFC 3261 §17.2.2: its response was lost.
TEST_F(sec_27, a_retransmission_is_no_replay_as_long_as_a_transaction_lasts) {
  challenge();
  auto first = request();
  EXPECT_EQ(verify(first), answer::accepted);
  EXPECT_EQ(verify(first), answer::again);
  now += std::chrono::seconds{32};
  EXPECT_EQ(verify(first), answer::again);
  now += std::chrono::seconds{1};
  EXPECT_EQ(verify(first), answer::stale);
}

TEST_F(sec_27, nonce_lives_five_minutes) {
  challenge();
  auto early = request();
  now += std::chrono::minutes{5};
  EXPECT_EQ(verify(early), answer::accepted);
  now += std::chrono::seconds{1};
  EXPECT_EQ(verify(request()), answer::stale);
  challenge(true);
  EXPECT_EQ(verify(request()), answer::accepted);
}

TEST_F(sec_27, forgotten_nonce_does_not_count_as_new) {
  settings.replay_entries = 2;
  server = std::make_unique<digest_verifier>(settings);
  challenge();
  auto captured = request();
  EXPECT_EQ(verify(captured), answer::accepted);
  for (int i = 0; i < 5; ++i) {
    now += std::chrono::seconds{1};
    client = {};
    challenge();
    EXPECT_EQ(verify(request()), answer::accepted);
    EXPECT_LE(server->remembered(), 2u);
  }
  EXPECT_EQ(verify(captured), answer::stale);
}

} // namespace
} // namespace jackfield::sip
