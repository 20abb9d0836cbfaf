#include "tests/srtp/reference.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace jackfield::srtp::reference {
namespace {

class rfc_vectors : public testing::Test {
protected:
  void SetUp() override {
    const std::filesystem::path file = "../shared/data/vectors/srtp/srtp_vectors.json";
    if (!std::filesystem::exists(file))
      GTEST_SKIP() << "no " << file << ": 0 vectors checked";
    vectors_ = nlohmann::json::parse(std::ifstream(file));
  }
  [[nodiscard]] bytes of(const char* group, const char* name) const {
    return from_hex(vectors_[group][name].get<std::string>());
  }

  nlohmann::json vectors_;
};

TEST_F(rfc_vectors, rfc_3711_b2_keystream) {
  const auto* group = "rfc3711_B2_aes128_cm_keystream";
  const auto stream = counter_keystream(of(group, "session_key"), of(group, "session_salt"), 0, 0,
                                        size_t{16} * 0xff03);
  int checked = 0;
  for (const auto& [block, expected] : vectors_[group]["keystream"].items()) {
    const auto at = std::stoul(block, nullptr, 16) * 16;
    const bytes got(stream.begin() + static_cast<std::ptrdiff_t>(at),
                    stream.begin() + static_cast<std::ptrdiff_t>(at) + 16);
    EXPECT_EQ(got, from_hex(expected.get<std::string>())) << "block " << block;
    ++checked;
  }
  EXPECT_GE(checked, 3);
}

TEST_F(rfc_vectors, rfc_3711_b3_key_derivation) {
  const auto* group = "rfc3711_B3_kdf";
  const auto key = of(group, "master_key");
  const auto salt = of(group, "master_salt");
  EXPECT_EQ(derive(key, salt, 0, 16), of(group, "cipher_key_label00"));
  EXPECT_EQ(derive(key, salt, 1, 20), of(group, "auth_key_label01"));
  EXPECT_EQ(derive(key, salt, 2, 14), of(group, "cipher_salt_label02"));
}

TEST_F(rfc_vectors, rfc_7714_16_and_17_packets) {
  const std::pair<const char*, profile> groups[] = {
    {"rfc7714_16_17_aes128Gcm", profile::aead_aes_128_gcm},
    {"rfc7714_16_17_aes256Gcm", profile::aead_aes_256_gcm}};
  for (const auto& [group, with] : groups) {
    const session_keys keys{of(group, "srtpSessionKey"), {}, of(group, "srtpSessionSalt")};
    EXPECT_EQ(protect_rtp(with, keys, of(group, "decryptedRTPPacket"), 0),
              of(group, "encryptedRTPPacket"))
      << group;
    EXPECT_EQ(protect_rtcp(with, keys, of(group, "decryptedRTCPPacket"), 0x5d4),
              of(group, "encryptedRTCPPacket"))
      << group;
  }
}

TEST_F(rfc_vectors, packets_of_the_reference_library) {
  const auto& functions = vectors_["libsrtp_packet_validations"]["functions"];
  const auto& globals = vectors_["libsrtp_packet_validations"]["globals"];
  const std::tuple<const char*, const char*, profile> groups[] = {
    {"srtp_validate", "test_key", profile::aes128_cm_sha1_80},
    {"srtp_validate_gcm", "test_key_gcm", profile::aead_aes_128_gcm}};
  for (const auto& [group, key, with] : groups) {
    const auto& f = functions[group];
    auto master = from_hex(globals[key].get<std::string>());
    master.resize(key_bytes(with) + salt_bytes(with));
    const auto rtp =
      f.contains("srtp_plaintext_ref") ? f["srtp_plaintext_ref"] : f["rtp_plaintext_ref"];
    EXPECT_EQ(
      protect_rtp(with, session_keys_of(with, master, false), from_hex(rtp.get<std::string>()), 0),
      from_hex(f["srtp_ciphertext"].get<std::string>()))
      << group;
    EXPECT_EQ(protect_rtcp(with, session_keys_of(with, master, true),
                           from_hex(f["rtcp_plaintext_ref"].get<std::string>()), 1),
              from_hex(f["srtcp_ciphertext"].get<std::string>()))
      << group;
  }
}

} // namespace
} // namespace jackfield::srtp::reference
