#pragma once

#include <span>
#include <string>

#include "engine/error/error.hpp"

namespace jackfield::crypto {

/// A certificate with its private key, both PEM.
struct certificate {
  std::string certificate_pem; // the chain, leaf first
  std::string key_pem;
};

/// Makes a self-signed EC P-256 certificate, valid for a year from an hour ago, for the DNS names
/// and numeric IP addresses given (at least one). For the embedded answering engine and for tests:
/// nobody trusts it who is not told to (`transport::tls_settings::trusted_pem`).
[[nodiscard]] result<certificate> self_signed_certificate(std::span<const std::string> names);

} // namespace jackfield::crypto
