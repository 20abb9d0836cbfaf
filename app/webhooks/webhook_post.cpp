#include "app/webhooks/webhook_post.hpp"

#include <atomic>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "engine/lane/endpoint.hpp"

namespace jackfield::webhooks {

namespace {

namespace beast = boost::beast;
namespace wire = beast::http;
namespace ssl = boost::asio::ssl;
using boost::asio::ip::tcp;

/// Of an answer: nobody reads them but to be polite.
constexpr uint32_t most_head = 16'384;
constexpr uint64_t most_body = 65'536;

std::atomic<int> looking_up{0};

beast::string_view view(const std::string& text) {
  return {text.data(), text.size()};
}

/// May it be sent there? Plain HTTP stays on this machine, whatever a name resolves to.
bool may_reach(const tcp::endpoint& where, const webhook_settings& settings) {
  const auto at = lane::endpoint::parse(where.address().to_string(), where.port());
  return at && !at->is_unspecified() && !at->is_forbidden_destination() &&
         (settings.url.secure || settings.insecure || at->is_loopback());
}

} // namespace

struct trusted_authorities::context {
  ssl::context tls{ssl::context::tls_client};
};

trusted_authorities::trusted_authorities(std::unique_ptr<context> made)
    : context_(std::move(made)) {}
trusted_authorities::~trusted_authorities() = default;

result<std::shared_ptr<const trusted_authorities>>
trusted_authorities::read(const std::string& file) {
  auto made = std::make_unique<context>();
  beast::error_code failed;
  made->tls.set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 |
                          ssl::context::no_sslv3 | ssl::context::no_tlsv1 |
                          ssl::context::no_tlsv1_1,
                        failed);
  made->tls.set_verify_mode(ssl::verify_peer, failed);
  if (file.empty())
    made->tls.set_default_verify_paths(failed);
  else
    made->tls.load_verify_file(file, failed);
  if (failed)
    return fail("ca_file", fmt::format("\"{}\" has no certificates that can be read: {}", file,
                                       failed.message()));
  return std::shared_ptr<const trusted_authorities>{new trusted_authorities{std::move(made)}};
}

/// One request, from the name of its host to the answer.
class webhook_post::exchange : public std::enable_shared_from_this<exchange> {
public:
  exchange(boost::asio::io_context& on, const webhook_settings& to, posted_message what, told tell)
      : settings_(to), resolver_(on), stream_(on), patience_(on), tell_(std::move(tell)) {
    request_.method(wire::verb::post);
    request_.version(11);
    request_.target(view(settings_.url.target));
    request_.set(wire::field::host, view(settings_.url.authority()));
    request_.set(wire::field::user_agent, "Jackfield");
    request_.set(wire::field::content_type, "application/json");
    request_.set("webhook-id", view(what.id));
    request_.set("webhook-timestamp", view(std::to_string(what.timestamp)));
    request_.set("webhook-signature", view(what.signature));
    request_.keep_alive(false);
    request_.body() = std::move(what.body);
    request_.prepare_payload();
    parser_.header_limit(most_head);
    parser_.body_limit(most_body);
  }

  void begin() {
    patience_.expires_after(patience);
    patience_.async_wait([self = shared_from_this()](beast::error_code cancelled) {
      if (!cancelled)
        self->end("there was no answer within 10 s");
    });
    look_up();
  }

  void cancel() {
    tell_ = nullptr;
    close();
  }

private:
  // An address does not wait behind the names of others.
  void look_up() {
    const auto& url = settings_.url;
    beast::error_code is_name;
    if (const auto address = boost::asio::ip::make_address(url.host, is_name); !is_name) {
      boost::asio::post(resolver_.get_executor(),
                        [self = shared_from_this(), at = tcp::endpoint{address, url.port}] {
                          if (!self->over_)
                            self->connect_to({at});
                        });
      return;
    }
    ++looking_up;
    resolver_.async_resolve(settings_.url.host, std::to_string(settings_.url.port),
                            tcp::resolver::numeric_service,
                            [self = shared_from_this()](beast::error_code failed,
                                                        const tcp::resolver::results_type& found) {
                              --looking_up;
                              self->on_found(failed, found);
                            });
  }

  void on_found(beast::error_code failed, const tcp::resolver::results_type& found) {
    if (over_)
      return;
    if (failed) {
      end(fmt::format("{} cannot be looked up: {}", settings_.url.host, failed.message()));
      return;
    }
    connect_to({found.begin(), found.end()});
  }

  void connect_to(std::vector<tcp::endpoint> found) {
    at_ = std::move(found);
    std::erase_if(at_, [this](const tcp::endpoint& each) { return !may_reach(each, settings_); });
    if (at_.empty()) {
      end(fmt::format(
        "{} is nowhere that may be asked{}", settings_.url.host,
        settings_.url.secure || settings_.insecure ? "" : ": http is for this machine alone"));
      return;
    }
    stream_.async_connect(
      at_, [self = shared_from_this()](beast::error_code why, const tcp::endpoint& /*where*/) {
        if (!self->fails("cannot be connected to", why))
          self->on_connected();
      });
  }

  void on_connected() {
    if (!settings_.url.secure) {
      say(stream_);
      return;
    }
    tls_.emplace(stream_, settings_.trusts->tls().tls);
    auto* const native = tls_->native_handle();
    const auto& host = settings_.url.host;
    auto* const rules = SSL_get0_param(native);
    const bool is_address = lane::endpoint::parse(host, settings_.url.port).has_value();
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    const bool named = is_address
                         ? X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1
                         : X509_VERIFY_PARAM_set1_host(rules, host.c_str(), host.size()) == 1 &&
                             SSL_set_tlsext_host_name(native, host.c_str()) == 1;
    if (!named) {
      end("TLS cannot be set up");
      return;
    }
    tls_->async_handshake(ssl::stream_base::client,
                          [self = shared_from_this()](beast::error_code why) {
                            if (self->over_)
                              return;
                            if (why)
                              self->end(self->tls_failure(why));
                            else
                              self->say(*self->tls_);
                          });
  }

  std::string tls_failure(beast::error_code why) {
    const auto verdict = SSL_get_verify_result(tls_->native_handle());
    return verdict == X509_V_OK ? fmt::format("TLS: {}", why.message())
                                : fmt::format("its certificate is not trusted: {}",
                                              X509_verify_cert_error_string(verdict));
  }

  template <class Stream>
  void say(Stream& to) {
    wire::async_write(to, request_,
                      [self = shared_from_this(), &to](beast::error_code why, size_t) {
                        if (!self->fails("cannot be written to", why))
                          self->hear(to);
                      });
  }

  // The body, too: a connection that is closed with something unread is reset.
  template <class Stream>
  void hear(Stream& from) {
    wire::async_read(
      from, buffer_, parser_, [self = shared_from_this()](beast::error_code why, size_t) {
        if (!self->parser_.is_header_done() && self->fails("did not answer in HTTP", why))
          return;
        self->end({});
      });
  }

  bool fails(const char* what, beast::error_code why) {
    if (over_)
      return true;
    if (why)
      end(fmt::format("{} {}: {}", settings_.url.host, what, why.message()));
    return static_cast<bool>(why);
  }

  /// Once the head of an answer is there, its status counts, whatever becomes of the rest.
  void end(std::string why) {
    if (over_)
      return;
    const auto tell = std::exchange(tell_, nullptr);
    const bool answered = parser_.is_header_done();
    const auto status = answered ? static_cast<unsigned>(parser_.get().result_int()) : 0U;
    close();
    if (tell && answered)
      tell(status);
    else if (tell)
      tell(tl::unexpected{std::move(why)});
  }

  void close() {
    over_ = true;
    patience_.cancel();
    resolver_.cancel();
    beast::error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.close();
  }

  const webhook_settings settings_;
  tcp::resolver resolver_;
  beast::tcp_stream stream_;
  std::optional<ssl::stream<beast::tcp_stream&>> tls_;
  boost::asio::steady_timer patience_;
  std::vector<tcp::endpoint> at_;
  wire::request<wire::string_body> request_;
  beast::flat_buffer buffer_{most_head + most_body};
  wire::response_parser<wire::string_body> parser_;
  told tell_;
  bool over_ = false;
};

webhook_post::webhook_post(boost::asio::io_context& on, const webhook_settings& to,
                           posted_message what, told tell)
    : running_(std::make_shared<exchange>(on, to, std::move(what), std::move(tell))) {
  running_->begin();
}

void webhook_post::cancel() {
  if (const auto was = std::exchange(running_, nullptr))
    was->cancel();
}

int webhook_post::lookups() noexcept {
  return looking_up;
}

} // namespace jackfield::webhooks
