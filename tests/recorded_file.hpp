#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <sndfile.h>

namespace jackfield::recording {

/// A stereo file as others read it: libsndfile.
struct read_back {
  uint32_t rate = 0;
  std::array<std::vector<int16_t>, 2> channels; ///< left, right; empty: it cannot be read

  [[nodiscard]] double seconds() const {
    return rate == 0 ? 0 : static_cast<double>(channels[0].size()) / rate;
  }
};

inline read_back read_from(SNDFILE* file, const SF_INFO& info) {
  read_back out;
  if (file == nullptr)
    return out;
  if (info.channels == 2) {
    out.rate = static_cast<uint32_t>(info.samplerate);
    std::array<int16_t, 2048> some{};
    while (const auto count = sf_readf_short(file, some.data(), some.size() / 2))
      for (size_t i = 0; i < static_cast<size_t>(count) * 2; ++i)
        out.channels[i % 2].push_back(some[i]);
  }
  sf_close(file);
  return out;
}

inline read_back read_file(const std::string& path) {
  SF_INFO info{};
  auto* const file = sf_open(path.c_str(), SFM_READ, &info);
  return read_from(file, info);
}

/// As if these bytes were a file.
inline read_back read_bytes(std::span<const std::byte> bytes) {
  struct source {
    std::span<const std::byte> bytes;
    sf_count_t at = 0;
  } from{bytes};
  SF_VIRTUAL_IO io{};
  io.get_filelen = [](void* self) {
    return static_cast<sf_count_t>(static_cast<source*>(self)->bytes.size());
  };
  io.seek = [](sf_count_t offset, int whence, void* self) {
    auto& s = *static_cast<source*>(self);
    const auto size = static_cast<sf_count_t>(s.bytes.size());
    s.at = offset + (whence == SEEK_CUR ? s.at : whence == SEEK_END ? size : 0);
    return s.at;
  };
  io.read = [](void* to, sf_count_t count, void* self) {
    auto& s = *static_cast<source*>(self);
    const auto left = static_cast<sf_count_t>(s.bytes.size()) - s.at;
    const auto some = std::max<sf_count_t>(0, std::min(count, left));
    std::memcpy(to, s.bytes.data() + s.at, static_cast<size_t>(some));
    s.at += some;
    return some;
  };
  io.tell = [](void* self) { return static_cast<source*>(self)->at; };
  SF_INFO info{};
  auto* const file = sf_open_virtual(&io, SFM_READ, &info, &from);
  return read_from(file, info);
}

} // namespace jackfield::recording
