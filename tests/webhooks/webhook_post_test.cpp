#include "app/webhooks/webhook_post.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/crypto/certificate.hpp"

namespace jackfield::webhooks {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using testing::HasSubstr;

constexpr auto sound_answer = "HTTP/1.1 204 No Content\r\n\r\n";

/// Answers one request, over TLS if it has a certificate; or says its answer unasked.
class receiver {
public:
  explicit receiver(std::string answer, const crypto::certificate* own = nullptr,
                    bool unasked = false)
      : answer_(std::move(answer)), unasked_(unasked) {
    if (own != nullptr) {
      tls_.emplace(asio::ssl::context::tls_server);
      tls_->use_certificate_chain(asio::buffer(own->certificate_pem));
      tls_->use_private_key(asio::buffer(own->key_pem), asio::ssl::context::pem);
    }
    thread_ = std::thread{[this] { serve(); }};
  }
  ~receiver() { thread_.join(); }
  receiver(const receiver&) = delete;
  receiver& operator=(const receiver&) = delete;

  [[nodiscard]] uint16_t port() const { return acceptor_.local_endpoint().port(); }
  /// Once it was answered, or the connection has ended.
  const std::string& heard() {
    if (thread_.joinable())
      thread_.join();
    thread_ = std::thread{[] {}};
    return heard_;
  }

private:
  void serve() {
    boost::system::error_code failed;
    auto socket = acceptor_.accept();
    if (tls_) {
      asio::ssl::stream<tcp::socket&> stream{socket, *tls_};
      stream.handshake(asio::ssl::stream_base::server, failed);
      if (!failed)
        talk(stream);
    } else {
      talk(socket);
    }
  }
  template <class Stream>
  void talk(Stream& with) {
    boost::system::error_code failed;
    if (!unasked_)
      asio::read_until(with, asio::dynamic_buffer(heard_), "}", failed);
    asio::write(with, asio::buffer(answer_), failed);
  }

  const std::string answer_;
  const bool unasked_;
  asio::io_context context_;
  tcp::acceptor acceptor_{context_, {asio::ip::make_address("127.0.0.1"), 0}};
  std::optional<asio::ssl::context> tls_;
  std::string heard_;
  std::thread thread_;
};

class post : public testing::Test {
protected:
  post() {
    folder_ = testing::TempDir();
    folder_ += "post.XXXXXX";
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// What comes of it: "204", or why there is no answer.
  std::string outcome(const std::string& url, const crypto::certificate* trusted = nullptr,
                      bool insecure = false) {
    webhook_settings to;
    to.url = webhook_url::parse(url).value();
    to.insecure = insecure;
    if (trusted != nullptr) {
      std::ofstream{folder_ + "/ca.pem"} << trusted->certificate_pem;
      to.trusts = trusted_authorities::read(folder_ + "/ca.pem").value();
    } else if (to.url.secure) {
      to.trusts = trusted_authorities::read({}).value();
    }
    std::string how;
    asio::io_context context;
    webhook_post sent{context,
                      to,
                      {"msg_1", 7, "v1,x", "{}"},
                      [&](const tl::expected<unsigned, std::string>& status) {
                        how = status ? std::to_string(*status) : status.error();
                        context.stop();
                      }};
    context.run();
    return how;
  }
  static std::string at(const char* scheme, const char* host, uint16_t port) {
    return std::string{scheme} + "://" + host + ":" + std::to_string(port) + "/hook";
  }

  std::string folder_;
};

TEST_F(post, says_what_it_has_and_hears_the_status) {
  receiver there{"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n"};
  EXPECT_EQ(outcome(at("http", "127.0.0.1", there.port())), "204");
  EXPECT_THAT(there.heard(), testing::StartsWith("POST /hook HTTP/1.1\r\n"));
  for (const auto* const header :
       {"webhook-id: msg_1\r\n", "webhook-timestamp: 7\r\n", "webhook-signature: v1,x\r\n",
        "Content-Type: application/json\r\n", "Content-Length: 2\r\n", "Connection: close\r\n"})
    EXPECT_THAT(there.heard(), HasSubstr(header));
}

TEST_F(post, takes_the_status_of_an_answer_that_is_cut_off_or_has_no_end) {
  receiver cut{"HTTP/1.1 500 Oh\r\nContent-Length: 100\r\n\r\nno"};
  EXPECT_EQ(outcome(at("http", "127.0.0.1", cut.port())), "500");
  receiver endless{"HTTP/1.1 200 OK\r\n\r\n" + std::string(200'000, 'x')};
  EXPECT_EQ(outcome(at("http", "127.0.0.1", endless.port())), "200");
}

TEST_F(post, fails_by_what_is_no_answer) {
  for (const std::string& answer :
       {std::string{}, std::string{"SIP/2.0 200 OK\r\n\r\n"}, std::string{"HTTP/1.1 abc\r\n\r\n"},
        "HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n"}) {
    receiver there{answer};
    EXPECT_THAT(outcome(at("http", "127.0.0.1", there.port())),
                HasSubstr("127.0.0.1 did not answer in HTTP: "));
  }
  uint16_t nobody = 0;
  {
    asio::io_context context;
    nobody =
      tcp::acceptor{context, {asio::ip::make_address("127.0.0.1"), 0}}.local_endpoint().port();
  }
  EXPECT_THAT(outcome(at("http", "127.0.0.1", nobody)), HasSubstr("cannot be connected to: "));
}

// SEC-32: what a name resolves to is looked at, not the name alone.
TEST_F(post, sec_32_goes_nowhere_where_nothing_may_be_sent) {
  for (const auto* const host : {"192.0.2.1", "[::ffff:192.0.2.1]", "[2001:db8::1]", "0.0.0.0"})
    EXPECT_THAT(outcome(at("http", host, 80)), HasSubstr("http is for this machine alone")) << host;
  for (const auto* const host : {"0.0.0.0", "[::]", "224.0.0.1", "255.255.255.255", "0.1.2.3",
                                 "[ff02::1]", "[::ffff:0.0.0.0]", "[::ffff:224.0.0.1]"})
    EXPECT_THAT(outcome(at("http", host, 80), nullptr, true),
                HasSubstr("is nowhere that may be asked"))
      << host;
}

TEST_F(post, sec_09_checks_who_answers) {
  const std::vector<std::string> names{"127.0.0.1", "localhost"};
  const auto own = crypto::self_signed_certificate(names).value();
  const auto other =
    crypto::self_signed_certificate(std::vector<std::string>{"hooks.test"}).value();
  {
    receiver there{sound_answer, &own};
    EXPECT_EQ(outcome(at("https", "127.0.0.1", there.port()), &own), "204");
  }
  {
    receiver there{sound_answer, &own};
    EXPECT_EQ(outcome(at("https", "localhost", there.port()), &own), "204");
  }
  {
    receiver there{sound_answer, &own};
    EXPECT_THAT(outcome(at("https", "127.0.0.1", there.port())),
                HasSubstr("its certificate is not trusted: "));
    EXPECT_EQ(there.heard(), "") << "nothing is said to who is not trusted";
  }
  for (const auto* const host : {"127.0.0.1", "localhost"}) {
    receiver there{sound_answer, &other};
    EXPECT_THAT(outcome(at("https", host, there.port()), &other),
                HasSubstr("its certificate is not trusted: "))
      << "it is another's";
    EXPECT_EQ(there.heard(), "");
  }
  receiver plain{sound_answer, nullptr, true};
  EXPECT_THAT(outcome(at("https", "127.0.0.1", plain.port()), &own), HasSubstr("TLS: "));
}

TEST_F(post, of_authorities_that_cannot_be_read_says_so) {
  EXPECT_FALSE(trusted_authorities::read(folder_ + "/none.pem"));
  std::ofstream{folder_ + "/empty.pem"} << "nothing";
  EXPECT_FALSE(trusted_authorities::read(folder_ + "/empty.pem"));
}

} // namespace
} // namespace jackfield::webhooks
