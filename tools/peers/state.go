package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// reported gives the indexes of the resources that a state records as done: created,
// not tainted, and with no condition that has failed or was not evaluated.
func reported(state []byte) (map[int]bool, error) {
	done := map[int]bool{}
	if len(state) == 0 {
		return done, nil
	}
	var content struct {
		Resources []struct {
			Mode      string
			Name      string
			Instances []struct {
				IndexKey int `json:"index_key"`
				Status   string
			}
		}
		CheckResults []struct {
			Objects []struct {
				ObjectAddr string `json:"object_addr"`
				Status     string
			}
		} `json:"check_results"`
	}
	if err := json.Unmarshal(state, &content); err != nil {
		return nil, err
	}
	for _, resource := range content.Resources {
		if resource.Mode != "managed" || resource.Name != "each" {
			continue
		}
		for _, instance := range resource.Instances {
			if instance.Status != "tainted" {
				done[instance.IndexKey] = true
			}
		}
	}
	for _, check := range content.CheckResults {
		for _, object := range check.Objects {
			if object.Status == "pass" {
				continue
			}
			_, index, _ := strings.Cut(strings.TrimSuffix(object.ObjectAddr, "]"), "[")
			i, err := strconv.Atoi(index)
			if err != nil {
				return nil, fmt.Errorf("check of %s: %w", object.ObjectAddr, err)
			}
			delete(done, i)
		}
	}
	return done, nil
}
