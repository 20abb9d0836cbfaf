#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/error/error.hpp"
#include "engine/transport/tls_context.hpp"

struct ssl_st;

namespace jackfield::transport {

/// Whom a TLS client wants to reach.
struct tls_peer {
  /// A DNS name (sent as SNI, checked against the certificate's alternative names) or a numeric
  /// address (checked as one).
  std::string name;
  /// Sessions are resumed with the same name and port only.
  uint16_t port = 0;
};

/// One TLS connection between two streams of bytes, without I/O: cipher text from the peer goes in
/// by `feed`, cipher text for the peer comes out by the sink.
class tls_filter {
public:
  /// What the filter has to say; the bytes are valid during the call. `on_plain_text` may call
  /// `write` and `shutdown`, nothing else of the filter, and may not destroy it.
  class sink {
  public:
    /// Cipher text to be sent to the peer.
    virtual void on_cipher_text(std::string_view bytes) = 0;
    /// Plain text of the peer. Returns false to stop: the connection ended meanwhile.
    virtual bool on_plain_text(std::string_view bytes) = 0;

  protected:
    ~sink() = default;
  };

  enum class state { handshaking, up, closed };

  static result<std::unique_ptr<tls_filter>> make_client(std::shared_ptr<tls_context> context,
                                                         const tls_peer& peer);
  static result<std::unique_ptr<tls_filter>> make_server(std::shared_ptr<tls_context> context);
  ~tls_filter();
  tls_filter(const tls_filter&) = delete;
  tls_filter& operator=(const tls_filter&) = delete;

  /// Takes cipher text; a client begins with an empty one. Fails when the handshake does (the
  /// certificate is not trusted, say) or the peer breaks the protocol; `out` then has the alert to
  /// send.
  result<void> feed(std::string_view cipher_text, sink& out);
  /// Encrypts. Only while `up`.
  result<void> write(std::string_view plain_text, sink& out);
  /// Says goodbye (close_notify).
  void shutdown(sink& out);

  /// `closed`: the peer said goodbye.
  [[nodiscard]] state now() const noexcept { return state_; }
  [[nodiscard]] bool resumed() const noexcept;
  [[nodiscard]] std::string version() const;
  [[nodiscard]] std::string cipher() const;

private:
  struct hooks;
  explicit tls_filter(std::shared_ptr<tls_context> context) noexcept;
  result<void> attach();
  [[nodiscard]] tl::unexpected<error> failure(const char* what) const;

  std::shared_ptr<tls_context> context_;
  ssl_st* ssl_ = nullptr;
  std::string session_key_; // clients
  std::string_view input_;  // what the call of `feed` under way has not consumed yet
  sink* sink_ = nullptr;    // of the call under way
  state state_ = state::handshaking;
};

} // namespace jackfield::transport
