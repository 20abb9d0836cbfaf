#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <tl/expected.hpp>

#include "app/webhooks/webhook_settings.hpp"

namespace jackfield::webhooks {

/// Who vouches for the receivers of a webhook.
class trusted_authorities {
public:
  /// Those of a PEM file; of the system, where its name is empty.
  static result<std::shared_ptr<const trusted_authorities>> read(const std::string& file);
  ~trusted_authorities();
  trusted_authorities(const trusted_authorities&) = delete;
  trusted_authorities& operator=(const trusted_authorities&) = delete;

  struct context;
  [[nodiscard]] context& tls() const noexcept { return *context_; }

private:
  explicit trusted_authorities(std::unique_ptr<context> made);
  std::unique_ptr<context> context_;
};

/// What is posted.
struct posted_message {
  std::string id;
  int64_t timestamp = 0; ///< seconds since 1970
  std::string signature;
  std::string body; ///< JSON
};

/// Posts a message, once, on the context's thread: looks the host up, connects, says it and hears
/// the answer's status, all in `patience`. Redirects are an answer like any other. It goes on
/// without its maker.
class webhook_post {
public:
  static constexpr std::chrono::seconds patience{10};
  /// The status of the answer; or why there is none. Called once, unless it is cancelled before.
  using told = std::function<void(tl::expected<unsigned, std::string>)>;

  webhook_post(boost::asio::io_context& on, const webhook_settings& to, posted_message what,
               told tell);
  ~webhook_post() { cancel(); }
  webhook_post(const webhook_post&) = delete;
  webhook_post& operator=(const webhook_post&) = delete;

  /// Nobody is told.
  void cancel();
  /// Host names that are being looked up in this process: the system cannot be told to leave that.
  [[nodiscard]] static int lookups() noexcept;

private:
  class exchange;
  std::shared_ptr<exchange> running_;
};

} // namespace jackfield::webhooks
