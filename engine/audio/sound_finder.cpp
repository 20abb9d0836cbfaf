#include "engine/audio/sound_finder.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "engine/audio/tone_detector.hpp"

namespace jackfield::audio {

namespace {

using std::chrono::milliseconds;

/// What is shorter belongs to what is around it.
constexpr milliseconds least_silence{200};
constexpr milliseconds least_tone{120};
/// Where a tone begins and ends a block has only some of it.
constexpr milliseconds longest_edge{80};

/// The same tone, a little later. Voices that sound like one do not hold it so well.
bool goes_on(const tones& before, const tones& now) noexcept {
  for (size_t i = 0; i < before.hz.size(); ++i)
    if (std::abs(before.hz[i] - now.hz[i]) > 4 + 0.015 * before.hz[i])
      return false;
  return true;
}

/// Of a list that is full the last piece that is no tone gives way to a tone that is not in it: in
/// a long call that may be the one that is waited for. False if there is none, or nothing new.
bool make_room_for(const found_sound& tone, std::vector<found_sound>& pieces) {
  const auto is_tone = [](const found_sound& each) { return each.what == found_sound::kind::tone; };
  const auto as_tones = [](const found_sound& each) {
    return tones{{double(each.hz[0]), double(each.hz[1])}};
  };
  for (const auto& each : pieces)
    if (is_tone(each) && goes_on(as_tones(each), as_tones(tone)))
      return false;
  const auto last = std::find_if_not(pieces.rbegin(), pieces.rend(), is_tone);
  if (last == pieces.rend())
    return false;
  pieces.erase(std::next(last).base());
  return true;
}

} // namespace

sound_finder::sound_finder(uint32_t sample_rate) : to_rate_(sample_rate, rate), from_(sample_rate) {
  block_.reserve(block_samples);
}

void sound_finder::add(std::span<const int16_t> samples, uint32_t sample_rate) {
  if (sample_rate != from_) {
    from_ = sample_rate;
    to_rate_ = resampler{from_, rate};
  }
  auto rest = to_rate_.process(samples);
  while (!rest.empty()) {
    const auto some = rest.first(std::min(rest.size(), block_samples - block_.size()));
    block_.insert(block_.end(), some.begin(), some.end());
    rest = rest.subspan(some.size());
    if (block_.size() == block_samples) {
      judge(block_);
      block_.clear();
    }
  }
}

void sound_finder::skip(milliseconds missing) {
  block_.clear(); // half of it is no time's audio
  if (missing >= least_silence)
    take(kind::silence, missing);
  else
    at_ += missing;
}

void sound_finder::judge(std::span<const int16_t> block) {
  if (is_silence(block))
    take(kind::silence, block_length);
  else if (const auto heard = find_tones(block, rate))
    take(kind::tone, block_length, *heard);
  else
    take(kind::sound, block_length);
}

void sound_finder::take(kind what, milliseconds length, const tones& heard) {
  if (now_.length == milliseconds::zero() || what != now_.what ||
      (what == kind::tone && !goes_on(now_.heard, heard))) {
    settle(list_, now_);
    now_ = {what, at_, {}, heard};
  }
  // The mean of a tone's frequencies over its blocks.
  const auto blocks = static_cast<double>(now_.length / block_length);
  for (size_t i = 0; i < now_.heard.hz.size(); ++i)
    now_.heard.hz[i] += (heard.hz[i] - now_.heard.hz[i]) / (blocks + 1);
  now_.length += length;
  at_ += length;
}

void sound_finder::settle(heard_sounds& list, const stretch& over) {
  if (over.length == milliseconds::zero())
    return;
  found_sound piece{over.what, over.at, over.length, {}};
  if ((over.what == kind::tone && over.length < least_tone) ||
      (over.what == kind::silence && over.length < least_silence))
    piece.what = kind::sound; // a syllable, the pause after it
  if (piece.what == kind::tone)
    for (size_t i = 0; i < piece.hz.size(); ++i)
      piece.hz[i] = static_cast<uint16_t>(std::lround(over.heard.hz[i]));
  auto& pieces = list.pieces;
  const bool full = pieces.size() == heard_sounds::most_pieces;
  if (!full && !pieces.empty()) {
    auto& last = pieces.back();
    if (piece.what == kind::sound && last.what == kind::tone && piece.length <= longest_edge) {
      list.tone += piece.length;
      last.length += piece.length;
      return;
    }
    if (piece.what == kind::tone && last.what == kind::sound && last.length <= longest_edge) {
      list.sound -= last.length;
      piece.at = last.at;
      piece.length += last.length;
      pieces.pop_back();
    } else if (piece.what == kind::sound && last.what == kind::sound) {
      list.sound += piece.length;
      last.length += piece.length;
      return;
    }
  }
  (piece.what == kind::tone      ? list.tone
   : piece.what == kind::silence ? list.silence
                                 : list.sound) += piece.length;
  if (full && !(piece.what == kind::tone && make_room_for(piece, pieces)))
    return;
  pieces.push_back(piece);
}

heard_sounds sound_finder::found() const {
  auto list = list_;
  settle(list, now_);
  return list;
}

} // namespace jackfield::audio
