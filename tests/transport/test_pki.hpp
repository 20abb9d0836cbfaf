#pragma once

#include <string>

#include "engine/crypto/certificate.hpp"

namespace jackfield::transport {

/// How a certificate of the tests is to be, and to be wrong.
struct certificate_wish {
  /// OpenSSL's notation: "DNS:good.test,IP:192.0.2.1"; empty: no alternative names.
  std::string alternatives = {};
  /// Put in as one DNS name byte for byte, whatever it has in it.
  std::string raw_dns_name = {};
  std::string common_name = "test";
  std::string usage = "serverAuth"; // extended key usage; empty: none
  long valid_from = -3600;          // seconds from now
  long valid_to = 3600;
};

/// A certificate authority of the tests.
class test_authority {
public:
  test_authority();
  [[nodiscard]] crypto::certificate issue(const certificate_wish& wish) const;
  [[nodiscard]] const std::string& pem() const noexcept { return own_.certificate_pem; }

private:
  crypto::certificate own_;
};

} // namespace jackfield::transport
