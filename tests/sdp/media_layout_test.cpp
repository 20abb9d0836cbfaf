#include "engine/sdp/media_layout.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sdp/negotiation_sides.hpp"

namespace jackfield::sdp {
namespace {

using testing::HasSubstr;

TEST(media_layout, the_next_offer_keeps_the_peer_s_streams_and_numbers) {
  media_capabilities with;
  with.codecs = {opus(96), g722(), pcmu(), telephone_event(101)};
  with.profiles = {"RTP/AVP", "RTP/AVPF"};
  auto us = ours(with);
  auto offer = with_media("m=video 5000 RTP/AVP 96 97\r\na=rtpmap:96 VP8/90000\r\n"
                          "m=audio 9000 RTP/AVPF 101 0 96\r\na=rtpmap:101 opus/48000/2\r\n"
                          "a=rtpmap:96 telephone-event/8000\r\na=mid:sound\r\n"
                          "m=image 0 udptl\r\n");
  must(us.answer(must(us.take_offer(offer)), direction::sendrecv));
  auto hold = must(us.offer(direction::sendonly));
  auto made = parsed(hold.text);
  ASSERT_EQ(made.media.size(), 3u) << hold.text;
  EXPECT_EQ(made.media[0].type, "video");
  EXPECT_EQ(made.media[0].port, 0);
  EXPECT_EQ(made.media[0].formats, std::vector<std::string>{"96"});
  EXPECT_EQ(made.media[2].type, "image");
  EXPECT_EQ(made.media[2].port, 0);
  const auto& audio = made.media[1];
  EXPECT_EQ(audio.port, 20'000);
  EXPECT_EQ(audio.profile, "RTP/AVPF");
  EXPECT_EQ(audio.formats, (std::vector<std::string>{"101", "9", "0", "96"}));
  EXPECT_EQ(codecs_of(audio).front().encoding, "opus");
  EXPECT_TRUE(is_telephone_event(codecs_of(audio).back()));
  ASSERT_NE(find<mid>(audio.attributes), nullptr);
  EXPECT_EQ(find<mid>(audio.attributes)->tag, "sound");
  EXPECT_EQ(*find<direction>(audio.attributes), direction::sendonly);

  auto them = theirs(with);
  auto answer = must(them.answer(must(them.take_offer(hold.text)), direction::sendrecv));
  auto taken = must(us.take_answer(hold.number, answer.text));
  EXPECT_EQ(taken.media_index, 1u);
  EXPECT_EQ(taken.send_payload_type, 101);
  EXPECT_EQ(taken.way, direction::sendonly);
  // Back in a plain layout where the peer offers one (it ought not to).
  must(us.answer(must(us.take_offer(with_media("m=audio 9000 RTP/AVP 9 96 101\r\n"
                                               "a=rtpmap:96 opus/48000/2\r\n"
                                               "a=rtpmap:101 telephone-event/8000\r\n"))),
                 direction::sendrecv));
  EXPECT_EQ(parsed(must(us.offer(direction::sendrecv)).text).media.size(), 1u);
}

/// That an offer leaves our layout plain is found out in a shorter way where it was plain before.
TEST(media_layout, the_short_way_and_the_long_way_agree) {
  media_capabilities with;
  with.codecs = {opus(96), pcmu(), pcma(), telephone_event(101)};
  auto plain = std::make_shared<media_layout>();
  plain->lines.push_back({"audio", "RTP/AVP", "96"});
  plain->payload_types = {96, 0, 8, 101};
  const std::vector<std::string> encodings{"opus/48000/2",          "PCMU/8000",
                                           "pcma/8000/1",           "telephone-event/8000",
                                           "telephone-event/48000", "opus/48000"};
  const std::vector<unsigned> types{0, 8, 9, 96, 97, 101};
  std::mt19937 random(1);
  unsigned kept = 0;
  constexpr unsigned rounds = 20'000;
  for (unsigned n = 0; n < rounds; ++n) {
    std::string line = random() % 8 == 0 ? "m=audio 9000 RTP/AVPF" : "m=audio 9000 RTP/AVP";
    std::string maps;
    auto left = types;
    std::shuffle(left.begin(), left.end(), random);
    left.resize(1 + random() % left.size());
    for (auto type : left) {
      line += ' ' + std::to_string(type);
      if (type >= 96 || random() % 4 == 0)
        maps += "a=rtpmap:" + std::to_string(type) + ' ' + encodings[random() % encodings.size()] +
                "\r\n";
    }
    if (random() % 8 == 0)
      maps += "a=mid:0\r\n";
    const auto offer = parsed(with_media(line + "\r\n" + maps));
    const auto short_way = layout_after(offer, 0, with, nullptr);
    const auto long_way = layout_after(offer, 0, with, plain);
    ASSERT_EQ(short_way == nullptr, long_way == nullptr) << line << '\n' << maps;
    kept += short_way == nullptr ? 1 : 0;
  }
  EXPECT_GT(kept, rounds / 100);
  EXPECT_LT(kept, rounds / 2);
}

TEST(media_layout, a_refused_offer_does_not_change_the_layout) {
  auto us = ours();
  auto number = must(us.take_offer(with_media("m=video 0 RTP/AVP 96\r\nm=audio 9 RTP/AVP 0\r\n")));
  EXPECT_TRUE(us.early_answer(number, direction::sendrecv));
  EXPECT_TRUE(us.refuse(number));
  EXPECT_EQ(parsed(must(us.offer(direction::sendrecv)).text).media.size(), 1u);
}

TEST(media_layout, a_codec_whose_number_the_peer_took_gets_another) {
  media_capabilities with;
  with.codecs = {pcmu(), opus(101), telephone_event(96)};
  auto us = ours(with);
  auto offer = with_media("m=audio 9 RTP/AVP 0 101 96 97\r\na=rtpmap:101 iLBC/8000\r\n"
                          "a=rtpmap:96 speex/8000\r\na=rtpmap:97 telephone-event/8000\r\n");
  must(us.answer(must(us.take_offer(offer)), direction::sendrecv));
  auto next = must(us.offer(direction::sendrecv));
  EXPECT_EQ(parsed(next.text).media[0].formats, (std::vector<std::string>{"0", "98", "97"}));
  EXPECT_THAT(next.text, HasSubstr("a=rtpmap:98 opus/48000/2\r\n"));
  us.rollback();
  // Where no number is left the codec is left out.
  std::string all = "m=audio 9 RTP/AVP 0";
  std::string maps;
  for (int number = 96; number <= 127; ++number) {
    all += ' ' + std::to_string(number);
    maps += "a=rtpmap:" + std::to_string(number) + " speex/8000\r\n";
  }
  auto full = ours(with);
  must(full.answer(must(full.take_offer(with_media(all + "\r\n" + maps))), direction::sendrecv));
  EXPECT_EQ(parsed(must(full.offer(direction::sendrecv)).text).media[0].formats,
            std::vector<std::string>{"0"});
}
} // namespace
} // namespace jackfield::sdp
