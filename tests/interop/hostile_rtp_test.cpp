#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "engine/srtp/master_key.hpp"
#include "engine/srtp/profile.hpp"
#include "engine/srtp/receiver.hpp"
#include "engine/srtp/sender.hpp"
#include "tests/interop/peers.hpp"
#include "tests/interop/raw_caller.hpp"
#include "tests/interop/sip_tap.hpp"

namespace jackfield::tests {
namespace {

/// A peer's audio, to one port of 127.0.0.1.
class raw_audio {
public:
  raw_audio() : socket_(open_udp(INADDR_LOOPBACK)) {}

  [[nodiscard]] uint16_t port() const { return port_of(socket_); }
  void talk_to(uint16_t port) { peer_ = port; }
  /// From now on it is SRTP.
  void protect(const srtp::master_key& ours, const srtp::master_key& theirs) {
    sender_ = srtp::sender::make(ours, ssrc).value();
    receiver_ = srtp::receiver::make(theirs).value();
  }
  void send(const std::string& packet) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(peer_);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sendto(socket_.get(), packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&to),
           sizeof to);
    if (++sent_ % batch == 0)
      heard_within(1); // what is echoed of them is nobody's business
  }
  /// Sends the next 20 ms of PCMU, and returns them as they were sent.
  std::string speak() {
    std::string packet(12 + 160, spoken);
    packet[0] = '\x80';
    packet[1] = '\0';
    put(packet, 2, spoken_, 2);
    put(packet, 4, spoken_ * 160, 4);
    put(packet, 8, ssrc, 4);
    ++spoken_;
    if (sender_) {
      const auto size = packet.size();
      packet.resize(size + srtp::sender::most_growth);
      packet.resize(sender_->protect_rtp(std::as_writable_bytes(std::span{packet}), size));
    }
    send(packet);
    return packet;
  }
  void speak_until_heard() {
    do
      speak();
    while (!heard_within(20));
  }

private:
  static constexpr uint32_t ssrc = 0x676f6f64;
  static constexpr char spoken = '\x2a';
  /// As many as a socket of media has room for while its lane waits for a frame's time.
  static constexpr unsigned batch = 4;

  static void put(std::string& to, size_t at, uint32_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i)
      to[at + i] = static_cast<char>(value >> (8 * (bytes - 1 - i)));
  }
  /// Reads what has come by the end of that time: whether it was of what was spoken.
  bool heard_within(int milliseconds) {
    pollfd waiting{socket_.get(), POLLIN, 0};
    poll(&waiting, 1, milliseconds);
    bool found = false;
    alignas(8) std::array<char, 2'048> buffer{};
    for (ssize_t size = 0; (size = recv(socket_.get(), buffer.data(), buffer.size(), 0)) >= 0;) {
      auto length = static_cast<size_t>(size);
      if (receiver_)
        length = receiver_->open_rtp(std::as_writable_bytes(std::span{buffer}.first(length))).size;
      found = found || std::string_view{buffer.data(), length}.ends_with(std::string(160, spoken));
    }
    return found;
  }

  owned_fd socket_;
  std::optional<srtp::sender> sender_;
  std::optional<srtp::receiver> receiver_;
  uint16_t peer_ = 0;
  unsigned sent_ = 0;
  uint32_t spoken_ = 0;
};

/// Counts, lengths and offsets that point outside of their packet.
std::vector<std::string> wrong_packets() {
  std::vector<std::string> made;
  const std::string rest("\0\x01\0\0\0\xa0good", 10);
  // RTP: contributing sources, an extension, padding that are not there, and events of any length.
  for (const int sources : {1, 15})
    made.push_back(std::string{static_cast<char>(0x80 | sources), '\0'} + rest);
  for (const std::string& length :
       {std::string("\0\1", 2), std::string("\x7f\xff", 2), std::string("\xff\xff", 2)})
    made.push_back(std::string("\x90\0", 2) + rest + "\xbe\xde" + length);
  for (const int padding : {0, 1, 2, 3, 255})
    made.push_back(std::string("\xa0\0", 2) + rest + "x" + static_cast<char>(padding));
  for (size_t length = 0; length < 9; ++length)
    made.push_back("\x80\x65" + rest + std::string(length, '\xff'));
  // RTCP of every type and count, of which the length is short, right, long, and longest.
  for (int type = 192; type < 224; ++type)
    for (const int count : {0, 1, 3, 15, 31})
      for (const int length : {0, 1, 6, 7, 65'535})
        for (const int first : {0x80, 0xa0}) {
          auto& packet = made.emplace_back(28, '\xff');
          packet[0] = static_cast<char>(first | count);
          packet[1] = static_cast<char>(type);
          packet[2] = static_cast<char>(length >> 8);
          packet[3] = static_cast<char>(length);
        }
  return made;
}

/// The packet with another sequence number, as somebody would forge it who has no key.
std::string as_if_later(std::string packet, size_t by) {
  const auto number = (static_cast<uint8_t>(packet[2]) << 8) + static_cast<uint8_t>(packet[3]) + by;
  packet[2] = static_cast<char>(number >> 8);
  packet[3] = static_cast<char>(number);
  return packet;
}

/// A call that `jackfield answer` echoes, of a peer whose packets a test makes.
class hostile_rtp : public testing::Test {
protected:
  hostile_rtp() : answer_(start_answerer(folder_, "udp:127.0.0.1:0")), caller_(answer_.port) {}

  /// The description that was accepted.
  std::string call(const std::string& profile, const std::string& lines) {
    auto accepted =
      caller_.invite("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
                     "t=0 0\r\nm=audio " +
                     std::to_string(audio_.port()) + " " + profile +
                     " 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
                     "a=rtcp-mux\r\n" +
                     lines);
    caller_.acknowledge(accepted);
    if (const auto port = line_after(accepted, "m=audio "); !port.empty())
      audio_.talk_to(static_cast<uint16_t>(std::stoul(std::string{port})));
    return accepted;
  }
  /// Its call is up, others come up, and all end well: the report.
  nlohmann::json finish() {
    audio_.speak_until_heard();
    EXPECT_TRUE(caller_.hang_up().starts_with("SIP/2.0 200 "));
    const auto outcome = run_load(folder_, {sip_uri("service", answer_.port), "--media", "rtp",
                                            "-m", "3", "-r", "3", "-d", "500"});
    EXPECT_EQ(outcome.summary.at("calls").at("completed"), 3) << outcome.summary.at("failures");
    auto report = answer_.finish();
    EXPECT_EQ(report.at("calls").at("completed"), 4);
    return report;
  }

  const scratch_folder folder_;
  answerer answer_;
  raw_caller caller_;
  raw_audio audio_;
  std::mt19937 random_{7};
};

TEST_F(hostile_rtp, sec_07_of_the_peer_itself_does_not_end_its_call_nor_that_of_others) {
  call("RTP/AVP", {});
  audio_.speak_until_heard();
  for (const auto& packet : wrong_packets())
    audio_.send(packet);
  for (int first = 0; first < 256; ++first)
    for (const size_t size : {0U, 1U, 2U, 3U, 4U, 7U, 8U, 11U, 12U, 13U, 16U, 28U, 172U, 1'400U}) {
      std::string packet(size, '\0');
      std::ranges::generate(packet, [&] { return static_cast<char>(random_()); });
      if (size > 0)
        packet[0] = static_cast<char>(first);
      audio_.send(packet);
    }
  finish();
}

TEST_F(hostile_rtp, sec_22_replayed_and_forged_packets_are_counted_and_end_no_call) {
  constexpr auto suite = srtp::profile::aead_aes_128_gcm;
  constexpr uint64_t copies = 100;
  std::array<std::byte, srtp::master_key::most_bytes> secret{};
  secret.fill(std::byte{7});
  const auto ours =
    srtp::master_key::from(suite, std::span{secret}.first(srtp::master_key::size_for(suite)))
      .value();
  const auto name = std::string{srtp::suite_of(suite)} + " inline:";
  const auto accepted = call("RTP/SAVP", "a=crypto:1 " + name + ours.base64() + "\r\n");
  const auto theirs = srtp::master_key::parse(suite, line_after(accepted, "a=crypto:1 " + name));
  ASSERT_TRUE(theirs) << accepted;
  audio_.protect(ours, *theirs);
  audio_.speak_until_heard();
  for (uint64_t i = 0; i < copies; ++i) {
    const auto packet = audio_.speak();
    for (uint64_t copy = 0; copy < copies; ++copy) {
      audio_.send(packet);
      audio_.send(as_if_later(packet, 1 + random_() % 1'000));
    }
  }
  const auto media = finish().at("media");
  EXPECT_GT(media.at("replayed"), copies * copies / 2) << "of those that its socket had room for";
  EXPECT_GT(media.at("forged"), copies * copies / 2);
  EXPECT_EQ(media.at("received").at("packets_duplicate"), 0);
  std::cout << "of " << copies * copies << " each: replayed " << media.at("replayed") << ", forged "
            << media.at("forged") << "; lost " << media.at("received").at("packets_lost") << '\n';
}

} // namespace
} // namespace jackfield::tests
