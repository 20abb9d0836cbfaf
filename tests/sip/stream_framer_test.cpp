#include "engine/sip/stream_framer.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/sip/samples.hpp"

namespace jackfield::sip {

namespace {

using kind = stream_framer::kind;
using tests::invite;
using tests::ok;
using tests::with;

struct found {
  kind what;
  std::string bytes;
  int status;

  friend bool operator==(const found&, const found&) = default;
};

void take(stream_framer& framer, std::vector<found>& all) {
  while (auto item = framer.next())
    all.push_back({item.what, std::string(item.bytes), item.status});
}

std::vector<found> frame(std::string_view text, size_t piece) {
  stream_framer framer;
  std::vector<found> all;
  for (size_t i = 0; i < text.size(); i += piece) {
    std::string copy(text.substr(i, piece));
    framer.feed(copy);
    take(framer, all);
  }
  return all;
}

} // namespace

TEST(stream_framer, finds_the_same_wherever_the_stream_is_cut) {
  auto text = invite + "\r\n\r\n" + ok + ok + "\r\n" + invite;
  auto whole = frame(text, text.size());
  EXPECT_EQ(whole, (std::vector<found>{{kind::message, invite, 0},
                                       {kind::pong, "", 0},
                                       {kind::ping, "", 0},
                                       {kind::message, ok, 0},
                                       {kind::message, ok, 0},
                                       {kind::pong, "", 0},
                                       {kind::message, invite, 0}}));
  for (size_t piece = 1; piece < 700; ++piece)
    ASSERT_EQ(frame(text, piece), whole) << piece;
  // Cut in two at every byte.
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    stream_framer framer;
    std::vector<found> all;
    framer.feed(std::string_view(text).substr(0, cut));
    take(framer, all);
    framer.feed(std::string_view(text).substr(cut));
    take(framer, all);
    ASSERT_EQ(all, whole) << cut;
    EXPECT_FALSE(framer.in_message());
  }
}

TEST(stream_framer, whole_messages_of_a_piece_are_not_copied) {
  stream_framer framer;
  framer.feed(invite);
  EXPECT_EQ(framer.next().bytes.data(), invite.data());
  EXPECT_FALSE(framer.next());
  EXPECT_EQ(framer.held(), 0U);
}

TEST(stream_framer, may_be_moved_in_the_midst_of_a_message) {
  stream_framer framer;
  framer.feed(std::string_view("INVI"));
  EXPECT_FALSE(framer.next());
  auto moved = std::move(framer);
  EXPECT_TRUE(moved.in_message());
  moved.feed(std::string_view(invite).substr(4));
  EXPECT_EQ(moved.next().bytes, invite);
}

TEST(stream_framer, torture_streams_are_the_same_at_every_cut) {
  auto samples = tests::sip_samples("rfc4475");
  if (samples.empty())
    GTEST_SKIP() << "no ../shared/data";
  for (const auto& sample : samples) {
    auto whole = frame(sample.text, sample.text.size());
    for (size_t piece : {1U, 2U, 3U, 7U, 64U})
      ASSERT_EQ(frame(sample.text, piece), whole) << sample.name << ' ' << piece;
  }
}

TEST(sec_01, framing_faults_end_the_stream) {
  for (auto length : {"Content-Length: -1", "Content-Length: +151", "Content-Length: 0x1",
                      "Content-Length: 4294967296", "Content-Length: 99999999999999999999999",
                      "Content-Length:", "Content-Length: 151\r\nl: 150",
                      "Content-Length: 151\r\nContent-Length : 0", "X-Length: 1"}) {
    auto text = with(invite, "Content-Length: 151", length);
    auto all = frame(text + invite, text.size());
    ASSERT_EQ(all.size(), 1U) << length;
    EXPECT_EQ(all[0].what, kind::fault);
    EXPECT_EQ(all[0].status, 400);
    EXPECT_TRUE(all[0].bytes.ends_with("\r\n\r\n"));
    EXPECT_EQ(frame(text + invite, 1), all);
  }
  for (auto stray : {"\n", "\rX"}) {
    auto all = frame(stray + invite, 10'000);
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].what, kind::fault);
  }
}

TEST(sec_01, a_length_that_is_said_twice_is_one) {
  const auto text = with(invite, "Content-Length: 151", "Content-Length: 151\r\nl: 151");
  const auto all = frame(text + invite, text.size());
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].bytes, text);
  EXPECT_EQ(all[1].bytes, invite);
}

TEST(sec_01, a_declared_length_allocates_nothing) {
  stream_framer framer;
  auto text = with(invite, "Content-Length: 151", "Content-Length: 64000");
  framer.feed(text);
  EXPECT_FALSE(framer.next());
  EXPECT_EQ(framer.held(), text.size());
  EXPECT_FALSE(framer.failed());

  stream_framer refusing;
  auto huge = with(invite, "Content-Length: 151", "Content-Length: 4294967295");
  refusing.feed(huge);
  auto fault = refusing.next();
  EXPECT_EQ(fault.what, kind::fault);
  EXPECT_EQ(fault.status, 513);
  EXPECT_FALSE(fault.bytes.empty());
  EXPECT_TRUE(refusing.failed());
  EXPECT_EQ(refusing.held(), 0U);
  refusing.feed(invite);
  EXPECT_FALSE(refusing.next());
}

TEST(sec_01, a_header_that_never_ends_is_cut_off) {
  stream_framer framer;
  framer.feed(std::string_view("INVITE sip:a SIP/2.0\r\n"));
  EXPECT_FALSE(framer.next());
  const std::string line = "X: " + std::string(500, 'x') + "\r\n";
  size_t fed = 0;
  stream_framer::item item;
  while (!item && fed < 1'000'000) {
    framer.feed(line);
    fed += line.size();
    item = framer.next();
  }
  EXPECT_EQ(item.what, kind::fault);
  EXPECT_EQ(item.status, 513);
  EXPECT_LT(fed, 67'000U);
}

} // namespace jackfield::sip
